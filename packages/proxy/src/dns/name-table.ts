import { isIPv4 } from 'node:net';

/** One name of a DNS table, as configuration gives it. */
export interface TableEntry {
  /** Lower case, without a dot at the end; `*.` at the start stands for one label or more. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

/** What the table says of a name. */
export interface TableAnswer {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly ttlSeconds: number;
}

const wildcard = '*.';

/** Names and their addresses; an exact name comes before a wildcard, a longer wildcard before a shorter one. */
export class NameTable {
  private readonly exact = new Map<string, TableAnswer>();
  /** By what follows the `*.`. */
  private readonly wildcards = new Map<string, TableAnswer>();

  constructor(entries: readonly TableEntry[]) {
    for (const { name, addresses, ttlSeconds } of entries) {
      const answer = {
        v4: addresses.filter((address) => isIPv4(address)),
        v6: addresses.filter((address) => !isIPv4(address)),
        ttlSeconds,
      };
      if (name.startsWith(wildcard)) this.wildcards.set(name.slice(wildcard.length), answer);
      else this.exact.set(name, answer);
    }
  }

  /** Null for a name that is somebody else's business. */
  find(name: string): TableAnswer | null {
    const known = this.exact.get(name);
    if (known !== undefined || this.wildcards.size === 0) return known ?? null;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const answer = this.wildcards.get(name.slice(dot + 1));
      if (answer !== undefined) return answer;
    }
    return null;
  }
}
