// Hot path.
import type { Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer, PickOrigin } from './load-balancer.ts';

/** The share of a priority's healthy endpoints, of its degraded ones, or in panic of all. */
export interface PriorityShare<P extends EndpointPool> {
  readonly balancer: LoadBalancer<P>;
  /** Of 100 picks, how many are this one's or an earlier one's. */
  readonly upTo: number;
  readonly isInPanic: boolean;
}

/** Chooses a priority by its share of the load, then an endpoint of it. */
export class PriorityBalancer<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly shares: readonly PriorityShare<P>[];
  private readonly panicPicks: { value: number };

  /** `panicPicks` counts the picks among all endpoints of a priority. */
  constructor(shares: readonly PriorityShare<P>[], panicPicks: { value: number }) {
    this.shares = shares;
    this.panicPicks = panicPicks;
  }

  pick(random: Random, authority: string, origin: PickOrigin | null): Endpoint<P> | null {
    const { shares } = this;
    const at = shares.length === 1 ? 0 : random.uint32() % 100;
    for (const share of shares) {
      if (at >= share.upTo) continue;
      if (share.isInPanic) this.panicPicks.value++;
      return share.balancer.pick(random, authority, origin);
    }
    return null;
  }
}
