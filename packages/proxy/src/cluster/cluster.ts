// Hot path: `pick` runs per request; everything else when configuration changes.
import type { Random } from '@heddle/base';
import { CircuitBreaker, type CircuitBreakerLimits } from './circuit-breaker.ts';
import type { ClusterMetrics, RoutingPriority } from './cluster-metrics.ts';
import type { ConnectionLimits } from './connection-pool.ts';
import { Endpoint, type EndpointHealth, type EndpointPool, type PoolFactory, hostPort } from './endpoint.ts';
import { emptyLoadBalancer, type LoadBalancer } from './load-balancer.ts';
import { Passthrough } from './passthrough.ts';
import { RoundRobin } from './round-robin.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** What a cluster is made of besides its endpoints. */
export interface ClusterConfig {
  readonly name: string;
  readonly connections: ConnectionLimits;
  readonly breakers: Readonly<Record<RoutingPriority, CircuitBreakerLimits>>;
  /** Null for plain connections. */
  readonly tls: UpstreamTlsConfig | null;
  /** Endpoints are those of the requests' authorities, not of a list. */
  readonly isPassthrough: boolean;
  /** An endpoint that becomes unhealthy loses its connections at once. */
  readonly dropsConnectionsOfUnhealthy: boolean;
}

/** One endpoint as a load assignment lists it. */
export interface EndpointConfig {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly health: EndpointHealth;
}

/** Makes the pool of a new endpoint. */
export type EndpointPoolFactory<P extends EndpointPool> = (
  cluster: Cluster<P>,
  endpoint: Endpoint<P>,
  priority: RoutingPriority,
) => P;

/** A set of endpoints that do the same. */
export class Cluster<P extends EndpointPool> {
  readonly name: string;
  readonly config: ClusterConfig;
  readonly metrics: ClusterMetrics;
  /** A load assignment has been applied, be it an empty one. */
  hasEndpoints: boolean;
  private balancer: LoadBalancer<P> = emptyLoadBalancer;
  private readonly passthrough: Passthrough<P> | null;
  /** By `host:port`. */
  private byAddress = new Map<string, Endpoint<P>>();
  private readonly createPool: PoolFactory<P>;
  private readonly breakers: Record<RoutingPriority, CircuitBreaker | null> = { default: null, high: null };

  constructor(config: ClusterConfig, metrics: ClusterMetrics, createPool: EndpointPoolFactory<P>) {
    this.name = config.name;
    this.config = config;
    this.metrics = metrics;
    this.createPool = (endpoint, priority) => createPool(this, endpoint, priority);
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

  /** What the cluster holds for requests of a priority; made when the first pool needs it. */
  breaker(priority: RoutingPriority): CircuitBreaker {
    const limits = this.config.breakers[priority];
    return (this.breakers[priority] ??= new CircuitBreaker(
      limits,
      this.metrics.circuitBreaker(priority, limits.tracksRemaining),
    ));
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
      if (endpoint.health !== health) this.changeHealth(endpoint, health);
      next.set(address, endpoint);
    }
    this.byAddress = next;
    this.balancer = chooseBalancer([...next.values()].filter(isEligible), random);
    this.hasEndpoints = true;
    this.metrics.endpoints.value = next.size;
    this.metrics.endpointsHealthy.value = countEligible(next.values());
    let changed = next.size !== previous.size;
    for (const [address, endpoint] of previous) {
      if (next.has(address)) continue;
      changed = true;
      endpoint.remove();
    }
    if (changed) this.metrics.membershipChanges.value++;
  }

  /** The cluster is gone: its endpoints are removed, requests on them may end, its metrics are no longer exported. */
  close(): void {
    this.balancer = emptyLoadBalancer;
    this.passthrough?.close();
    for (const endpoint of this.byAddress.values()) endpoint.remove();
    this.byAddress = new Map();
    this.metrics.close();
  }

  private changeHealth(endpoint: Endpoint<P>, health: EndpointHealth): void {
    endpoint.health = health;
    if (health === 'unhealthy' && this.config.dropsConnectionsOfUnhealthy) endpoint.dropConnections();
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
