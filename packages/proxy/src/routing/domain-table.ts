// Hot path.

/** Wildcard patterns of one length, by their fixed part. */
interface WildcardGroup<T> {
  readonly length: number;
  readonly byText: Map<string, T>;
}

/**
 * Finds the entry for a host name in Envoy's order: the exact domain, then the longest `*.suffix`, then the longest
 * `prefix.*`, then `*`. Case doesn't matter. A wildcard stands for at least one character.
 */
export class DomainTable<T> {
  private readonly exact = new Map<string, T>();
  /** Longest first. */
  private readonly suffixes: WildcardGroup<T>[] = [];
  /** Longest first. */
  private readonly prefixes: WildcardGroup<T>[] = [];
  private fallback: T | null = null;

  /** False where the domain is there already: it keeps its first entry. */
  add(domain: string, entry: T): boolean {
    const name = domain.toLowerCase();
    if (name === '*') {
      if (this.fallback !== null) return false;
      this.fallback = entry;
      return true;
    }
    if (name.startsWith('*')) return addOnce(group(this.suffixes, name.length - 1), name.slice(1), entry);
    if (name.endsWith('*')) return addOnce(group(this.prefixes, name.length - 1), name.slice(0, -1), entry);
    return addOnce(this.exact, name, entry);
  }

  /** The entry for a host, null where there is none. */
  find(host: string): T | null {
    const name = host.toLowerCase();
    const entry = this.exact.get(name);
    if (entry !== undefined) return entry;
    for (const { length, byText } of this.suffixes) {
      if (name.length <= length) continue;
      const found = byText.get(name.slice(name.length - length));
      if (found !== undefined) return found;
    }
    for (const { length, byText } of this.prefixes) {
      if (name.length <= length) continue;
      const found = byText.get(name.slice(0, length));
      if (found !== undefined) return found;
    }
    return this.fallback;
  }

  /** The entry of `*` where that is the only domain there is: no host need be looked at then. */
  get onlyEntry(): T | null {
    return this.exact.size === 0 && this.suffixes.length === 0 && this.prefixes.length === 0
      ? this.fallback
      : null;
  }
}

function group<T>(groups: WildcardGroup<T>[], length: number): Map<string, T> {
  let found = groups.find((candidate) => candidate.length === length);
  if (found === undefined) {
    found = { length, byText: new Map() };
    groups.push(found);
    groups.sort((a, b) => b.length - a.length);
  }
  return found.byText;
}

function addOnce<T>(entries: Map<string, T>, name: string, entry: T): boolean {
  if (entries.has(name)) return false;
  entries.set(name, entry);
  return true;
}
