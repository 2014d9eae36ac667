// Hot path.
import type { Random } from '@heddle/base';
import { Hash64 } from '../hash/hash64.ts';
import { xxHash64 } from '../hash/xx-hash64.ts';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer, PickOrigin } from './load-balancer.ts';
import { normalizedWeights } from './normalized-weights.ts';

/** Gives a request the endpoint at its hash's place in a table that all endpoints fill by turns: Envoy's table. */
export class Maglev<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];
  /** Whose each place is. */
  private readonly table: Int32Array;
  private readonly random = new Hash64();

  constructor(endpoints: readonly Endpoint<P>[], tableSize: number) {
    this.endpoints = endpoints;
    this.table = endpoints.length === 0 ? new Int32Array(0) : fill(endpoints, tableSize);
  }

  pick(random: Random, _authority: string, origin: PickOrigin | null): Endpoint<P> | null {
    const { table } = this;
    if (table.length === 0) return null;
    const hash = this.random;
    if (origin === null || origin.pickHash === null) hash.set(random.uint32(), random.uint32());
    else hash.set(origin.pickHash.high, origin.pickHash.low);
    // As in Envoy, what has been tried in vain is left by another hash.
    const attempt = origin === null ? 0 : origin.pickAttempt;
    if (attempt > 0) hash.set(hash.high ^ 0xffff_ffff, hash.low ^ (0x1_0000_0000 - attempt));
    return this.endpoints[table[hash.modulo(table.length)]!]!;
  }
}

function fill(endpoints: readonly Endpoint<EndpointPool>[], size: number): Int32Array {
  const weighed = normalizedWeights(endpoints);
  const most = Math.max(...weighed.map(({ weight }) => weight));
  const hash = new Hash64();
  const entries = weighed.map(({ key, weight }) => {
    xxHash64(key, hash);
    const offset = hash.modulo(size);
    xxHash64(key, hash, 1);
    return { offset, skip: hash.modulo(size - 1) + 1, weight, target: 0, next: 0 };
  });
  const table = new Int32Array(size).fill(-1);
  let filled = 0;
  for (let turn = 1; filled < size; turn++) {
    for (let owner = 0; owner < entries.length && filled < size; owner++) {
      const entry = entries[owner]!;
      // The heaviest has every turn, one of a third of its weight every third.
      if (turn * entry.weight < entry.target) continue;
      entry.target += most;
      let place = (entry.offset + entry.skip * entry.next) % size;
      while (table[place] !== -1) {
        entry.next++;
        place = (entry.offset + entry.skip * entry.next) % size;
      }
      table[place] = owner;
      entry.next++;
      filled++;
    }
  }
  return table;
}
