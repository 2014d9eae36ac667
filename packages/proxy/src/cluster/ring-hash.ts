// Hot path.
import type { Random } from '@heddle/base';
import { Hash64 } from '../hash/hash64.ts';
import { xxHash64 } from '../hash/xx-hash64.ts';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer, PickOrigin } from './load-balancer.ts';
import { type WeighedEndpoint, normalizedWeights } from './normalized-weights.ts';

export interface RingSize {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Gives a request the endpoint that follows its hash on a ring, on which every endpoint stands many times, by weight: with
 * Envoy's hashes at Envoy's places. Without a hash it takes any place.
 */
export class RingHash<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];
  /** Ascending; the halves of the hashes, and whose each is. */
  private readonly high: Uint32Array;
  private readonly low: Uint32Array;
  private readonly owner: Uint32Array;

  constructor(endpoints: readonly Endpoint<P>[], size: RingSize) {
    this.endpoints = endpoints;
    const places = placesOf(normalizedWeights(endpoints), size);
    places.sort((a, b) => a.high - b.high || a.low - b.low);
    this.high = Uint32Array.from(places, ({ high }) => high);
    this.low = Uint32Array.from(places, ({ low }) => low);
    this.owner = Uint32Array.from(places, ({ owner }) => owner);
  }

  pick(random: Random, _authority: string, origin: PickOrigin | null): Endpoint<P> | null {
    const { owner } = this;
    if (owner.length === 0) return null;
    const hash = origin === null ? null : origin.pickHash;
    const at = hash === null ? this.next(random.uint32(), random.uint32()) : this.next(hash.high, hash.low);
    const attempt = origin === null ? 0 : origin.pickAttempt;
    return this.endpoints[owner[(at + attempt) % owner.length]!]!;
  }

  /** The first place at or behind a hash. */
  private next(high: number, low: number): number {
    let from = 0;
    let to = this.owner.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const place = this.high[middle]!;
      if (place < high || (place === high && this.low[middle]! < low)) from = middle + 1;
      else to = middle;
    }
    return from === this.owner.length ? 0 : from;
  }
}

interface Place {
  readonly high: number;
  readonly low: number;
  readonly owner: number;
}

function placesOf(endpoints: readonly WeighedEndpoint[], { minimum, maximum }: RingSize): Place[] {
  if (endpoints.length === 0) return [];
  const least = Math.min(...endpoints.map(({ weight }) => weight));
  const scale = Math.min(Math.ceil(least * minimum) / least, maximum);
  const places: Place[] = [];
  const hash = new Hash64();
  // Both run over all endpoints, so that what rounding leaves over of one is the next one's.
  let target = 0;
  let current = 0;
  for (const [owner, { key, weight }] of endpoints.entries()) {
    target += scale * weight;
    for (let i = 0; current < target; i++, current++) {
      xxHash64(`${key}_${i}`, hash);
      places.push({ high: hash.high, low: hash.low, owner });
    }
  }
  return places;
}
