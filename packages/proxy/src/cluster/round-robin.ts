// Hot path.
import type { Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';

/**
 * Takes equally weighted endpoints in turn. It starts at a random one: many proxies that learn of a new list at the same
 * time must not all call its first endpoint.
 */
export class RoundRobin<P extends EndpointPool> implements LoadBalancer<P> {
  private readonly endpoints: readonly Endpoint<P>[];
  private next: number;

  constructor(endpoints: readonly Endpoint<P>[], random: Random) {
    this.endpoints = endpoints;
    this.next = endpoints.length === 0 ? 0 : random.uint32() % endpoints.length;
  }

  pick(): Endpoint<P> | null {
    const { endpoints } = this;
    if (endpoints.length === 0) return null;
    const endpoint = endpoints[this.next]!;
    this.next = this.next + 1 === endpoints.length ? 0 : this.next + 1;
    return endpoint;
  }
}
