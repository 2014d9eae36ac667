/**
 * Addresses for names that have none, as Istio allocates them: from 240.240.0.0/16 (reserved, never routed) and
 * 2001:2::/48 (benchmarks), so that an application which looks a name up gets something to connect to, which interception
 * then catches.
 */

/** The same place in both ranges. */
export interface VirtualAddress {
  readonly v4: string;
  readonly v6: string;
}

/** The last byte is 1 to 254, the one before 0 to 254. */
const lastBytes = 254;
const places = 255 * lastBytes;
/** For the second hash; smaller than `places`. */
const prime = 64_763;

/**
 * Gives each host its place: by a hash of its name, so that control planes agree without talking; where two meet, the one
 * that was there first stays, and the other goes on by steps that its own hash decides.
 */
export class VirtualAddresses {
  private readonly byHost = new Map<string, number>();
  private readonly taken = new Map<number, string>();

  /** Takes the hosts that there are now; what is gone gives its place back. */
  update(hosts: ReadonlySet<string>): void {
    for (const [host, place] of this.byHost) {
      if (hosts.has(host)) continue;
      this.byHost.delete(host);
      this.taken.delete(place);
    }
    for (const host of [...hosts].sort()) if (!this.byHost.has(host)) this.allocate(host);
  }

  /** Null where there are more hosts than addresses. */
  get(host: string): VirtualAddress | null {
    const place = this.byHost.get(host);
    if (place === undefined) return null;
    const third = Math.floor(place / lastBytes);
    const fourth = (place % lastBytes) + 1;
    return { v4: `240.240.${third}.${fourth}`, v6: `2001:2::f0f0:${(third * 256 + fourth).toString(16)}` };
  }

  private allocate(host: string): void {
    if (this.byHost.size >= places) return;
    const hash = fnv1a(host);
    const step = prime - (hash % prime);
    let place = hash % places;
    for (let tries = 0; this.taken.has(place); tries++) {
      // Should the steps ever come round, the next free place does.
      place = (place + (tries < places ? step : 1)) % places;
    }
    this.byHost.set(host, place);
    this.taken.set(place, host);
  }
}

/** 32-bit FNV-1a. */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
  return hash;
}
