// Hot path.
import type { Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';

/** Takes any endpoint, all alike: as in Envoy, weights count for nothing here. */
export class RandomChoice<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];

  constructor(endpoints: readonly Endpoint<P>[]) {
    this.endpoints = endpoints;
  }

  pick(random: Random): Endpoint<P> | null {
    const { endpoints } = this;
    return endpoints.length === 0 ? null : endpoints[random.uint32() % endpoints.length]!;
  }
}
