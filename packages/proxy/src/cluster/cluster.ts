// Hot path: `pick` runs per request; everything else when configuration changes.
import type { Random } from '@heddle/base';
import { CircuitBreaker, type CircuitBreakerLimits } from './circuit-breaker.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import { Endpoint, type EndpointHealth, type EndpointPool, hostPort } from './endpoint.ts';
import { emptyLoadBalancer, type LoadBalancer } from './load-balancer.ts';
import { Passthrough } from './passthrough.ts';
import { RoundRobin } from './round-robin.ts';
import type { UpstreamTlsConfig } from './tls-config.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** What a cluster is made of besides its endpoints. */
export interface ClusterConfig {
  readonly name: string;
  /** Connecting and, where it is secured, the handshake take at most this long. */
  readonly connectTimeoutMs: number;
  /** Null for plain connections. */
  readonly tls: UpstreamTlsConfig | null;
  readonly breakerLimits: CircuitBreakerLimits;
  /** Endpoints are those of the requests' authorities, not of a list. */
  readonly isPassthrough: boolean;
}

/** One endpoint as a load assignment lists it. */
export interface EndpointConfig {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly health: EndpointHealth;
}

/** Makes the pool of a new endpoint. */
export type EndpointPoolFactory<P extends EndpointPool> = (cluster: Cluster<P>, endpoint: Endpoint<P>) => P;

/** A set of endpoints that do the same. */
export class Cluster<P extends EndpointPool> {
  readonly name: string;
  readonly config: ClusterConfig;
  readonly metrics: ClusterMetrics;
  readonly breaker: CircuitBreaker;
  /** A load assignment has been applied, be it an empty one. */
  hasEndpoints: boolean;
  private balancer: LoadBalancer<P> = emptyLoadBalancer;
  private readonly passthrough: Passthrough<P> | null;
  /** By `host:port`. */
  private byAddress = new Map<string, Endpoint<P>>();
  private readonly createPool: (endpoint: Endpoint<P>) => P;

  constructor(config: ClusterConfig, metrics: ClusterMetrics, createPool: EndpointPoolFactory<P>) {
    this.name = config.name;
    this.config = config;
    this.metrics = metrics;
    this.breaker = new CircuitBreaker(config.breakerLimits);
    this.createPool = (endpoint) => createPool(this, endpoint);
    this.hasEndpoints = config.isPassthrough;
    this.passthrough = config.isPassthrough
      ? new Passthrough((host, port) => new Endpoint(host, port, 1, 'healthy', this.createPool))
      : null;
    if (this.passthrough !== null) this.balancer = this.passthrough;
  }

  /** The endpoint for a request, null where there is none (503, flag UH). */
  pick(random: Random, authority: string): Endpoint<P> | null {
    return this.balancer.pick(random, authority);
  }

  /** All endpoints, those that can't be picked too. */
  get endpoints(): readonly Endpoint<P>[] {
    return this.passthrough === null ? [...this.byAddress.values()] : this.passthrough.endpoints;
  }

  /** Replaces the list of endpoints. Those that stay keep their object; those that go are removed. */
  setEndpoints(list: readonly EndpointConfig[], random: Random): void {
    const previous = this.byAddress;
    const next = new Map<string, Endpoint<P>>();
    for (const { host, port, weight, health } of list) {
      const address = hostPort(host, port);
      // A list that names an endpoint twice gives it one object; the last one's weight and health hold.
      const known = next.get(address) ?? previous.get(address);
      const endpoint = known ?? new Endpoint(host, port, weight, health, this.createPool);
      endpoint.weight = weight;
      endpoint.health = health;
      next.set(address, endpoint);
    }
    this.byAddress = next;
    this.balancer = chooseBalancer([...next.values()].filter(isEligible), random);
    this.hasEndpoints = true;
    this.metrics.endpoints.value = next.size;
    this.metrics.endpointsHealthy.value = countEligible(next.values());
    for (const [address, endpoint] of previous) if (!next.has(address)) endpoint.remove();
  }

  /** The cluster is gone: its endpoints are removed, requests on them may end, its metrics are no longer exported. */
  close(): void {
    this.balancer = emptyLoadBalancer;
    this.passthrough?.close();
    for (const endpoint of this.byAddress.values()) endpoint.remove();
    this.byAddress = new Map();
    this.metrics.close();
  }
}

function isEligible(endpoint: Endpoint<EndpointPool>): boolean {
  return endpoint.health === 'healthy';
}

function countEligible(endpoints: Iterable<Endpoint<EndpointPool>>): number {
  let count = 0;
  for (const endpoint of endpoints) if (isEligible(endpoint)) count++;
  return count;
}

function chooseBalancer<P extends EndpointPool>(
  endpoints: readonly Endpoint<P>[],
  random: Random,
): LoadBalancer<P> {
  const [first] = endpoints;
  const hasEqualWeights = endpoints.every((endpoint) => endpoint.weight === first?.weight);
  return hasEqualWeights ? new RoundRobin(endpoints, random) : new WeightedRoundRobin(endpoints, random);
}
