// Hot path.
import { invariant, type Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';

/**
 * Round robin by weight, as earliest deadline first: an endpoint of weight w is due every 1/w. A binary heap of indices
 * ordered by deadline, ties by position in the list, makes a pick O(log n) and the order even (5:1 gives AAABAA…, never
 * bursts). It starts after a random number of picks, for the reason given at `RoundRobin`.
 */
export class WeightedRoundRobin<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];
  private readonly deadlines: Float64Array;
  private readonly intervals: Float64Array;
  /** Indices into `endpoints`, the one due next first. */
  private readonly heap: Int32Array;

  constructor(endpoints: readonly Endpoint<P>[], random: Random) {
    const count = endpoints.length;
    this.endpoints = endpoints;
    this.intervals = new Float64Array(count);
    this.deadlines = new Float64Array(count);
    this.heap = new Int32Array(count);
    for (const [index, { weight }] of endpoints.entries()) {
      invariant(weight > 0, 'an endpoint weighs at least 1');
      this.intervals[index] = 1 / weight;
      this.deadlines[index] = 1 / weight;
      this.heap[index] = index;
    }
    for (let i = (count >>> 1) - 1; i >= 0; i--) this.sink(i);
    const skipped = count === 0 ? 0 : random.uint32() % count;
    for (let i = 0; i < skipped; i++) this.pick();
  }

  pick(): Endpoint<P> | null {
    if (this.heap.length === 0) return null;
    const index = this.heap[0]!;
    this.deadlines[index] = this.deadlines[index]! + this.intervals[index]!;
    this.sink(0);
    return this.endpoints[index]!;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = this.deadlines[a]! - this.deadlines[b]!;
    return difference < 0 || (difference === 0 && a < b);
  }

  private sink(position: number): void {
    const { heap } = this;
    const index = heap[position]!;
    let hole = position;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, index)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = index;
  }
}
