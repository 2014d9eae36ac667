// Hot path.
import type { Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';

/**
 * Looks at a few endpoints chosen at random, with repetition, and takes the one with the fewest requests on it; the first
 * of equals. Where weights differ, an endpoint of weight w with n requests counts as (n + 1) / w.
 */
export class LeastRequest<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];
  private readonly choiceCount: number;

  constructor(endpoints: readonly Endpoint<P>[], choiceCount: number) {
    this.endpoints = endpoints;
    this.choiceCount = choiceCount;
  }

  pick(random: Random): Endpoint<P> | null {
    const { endpoints } = this;
    if (endpoints.length === 0) return null;
    let best = endpoints[random.uint32() % endpoints.length]!;
    for (let i = 1; i < this.choiceCount; i++) {
      const other = endpoints[random.uint32() % endpoints.length]!;
      if (loadOf(other) < loadOf(best)) best = other;
    }
    return best;
  }
}

function loadOf(endpoint: Endpoint<EndpointPool>): number {
  return (endpoint.activeRequests + 1) / endpoint.weight;
}
