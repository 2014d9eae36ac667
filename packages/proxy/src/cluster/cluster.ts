// Hot path: `pick` runs per request; everything else when configuration changes.
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import type { Random, TimerWheel } from '@heddle/base';
import { type BalancingConfig, chooseBalancer } from './choose-balancer.ts';
import type { ProcessCounts } from '../stack/process-counts.ts';
import { CircuitBreaker, type CircuitBreakerLimits, noLimit } from './circuit-breaker.ts';
import type { ClusterMetrics, RoutingPriority } from './cluster-metrics.ts';
import type { ConnectionLimits } from './connection-pool.ts';
import type { DnsDiscovery, DnsDiscoveryConfig } from './dns-discovery.ts';
import { Endpoint, type EndpointHealth, type EndpointPool, type PoolFactory, hostPort } from './endpoint.ts';
import { emptyLoadBalancer, type LoadBalancer, type PickOrigin } from './load-balancer.ts';
import { OriginalDestination, type OriginalDestinationConfig } from './original-destination.ts';
import { Passthrough } from './passthrough.ts';
import type { ConnectionSource } from '../transport/transport.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import { type EndpointTraits, type TransportMatch, transportFor } from './transport-match.ts';

/** What a cluster is made of besides its endpoints. */
export interface ClusterConfig {
  readonly name: string;
  readonly connections: ConnectionLimits;
  readonly breakers: Readonly<Record<RoutingPriority, CircuitBreakerLimits>>;
  /** Where its connections come from; null for the system's choice. */
  readonly source: ConnectionSource | null;
  /** The PROXY protocol's version with which its connections tell who the caller is; null for none. */
  readonly proxyProtocol: ProxyProtocolVersion | null;
  /** Null for plain connections. */
  readonly tls: UpstreamTlsConfig | null;
  /** For endpoints that are marked otherwise, the first that fits; absent for none. */
  readonly transportMatches?: readonly TransportMatch[];
  /** Endpoints are those of the requests' authorities, not of a list. */
  readonly isPassthrough: boolean;
  /** The endpoint is where an intercepted client wanted to go; null for all other clusters. */
  readonly originalDestination: OriginalDestinationConfig | null;
  /** Endpoints are names that are resolved again and again; null for all other clusters. */
  readonly dns: DnsDiscoveryConfig | null;
  readonly balancing: BalancingConfig;
  /** An endpoint that becomes unhealthy loses its connections at once. */
  readonly dropsConnectionsOfUnhealthy: boolean;
}

/** One endpoint as a load assignment lists it. */
export interface EndpointConfig {
  /** IP address; a Unix socket's path, with port 0; in a DNS cluster a name. */
  readonly host: string;
  readonly port: number;
  /** The `hostname` given to it, in a DNS cluster the name that is resolved; may be empty. */
  readonly name: string;
  readonly weight: number;
  readonly health: EndpointHealth;
  /** 0 is used first; the next ones where too little of it is healthy. */
  readonly priority: number;
  /** See `Endpoint`. */
  readonly takesTunnels: boolean;
  /** Absent for none. */
  readonly traits?: EndpointTraits;
}

/** The endpoints of a load assignment. */
export interface EndpointList {
  readonly endpoints: readonly EndpointConfig[];
  /** `overprovisioning_factor`: a priority is full as long as its healthy part, times this, is 100 per cent. */
  readonly overprovisioningPercent: number;
}

/** Envoy's default. */
export const defaultOverprovisioningPercent = 140;

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
  /** What resolves the endpoints' names; set by who builds a DNS cluster, closed with it. */
  discovery: DnsDiscovery | null = null;
  private balancer: LoadBalancer<P> = emptyLoadBalancer;
  /** Makes endpoints as they are asked for; null where they come from a list. */
  private readonly onDemand: (Passthrough<P> | OriginalDestination<P>) | null;
  /** By `host:port`. */
  private byAddress = new Map<string, Endpoint<P>>();
  private readonly createPool: PoolFactory<P>;
  private readonly counts: ProcessCounts | null;
  private readonly breakers: Record<RoutingPriority, CircuitBreaker | null> = { default: null, high: null };

  /** `counts`: what all threads of the process count together; null in a process of one thread. */
  constructor(
    config: ClusterConfig,
    metrics: ClusterMetrics,
    createPool: EndpointPoolFactory<P>,
    timers: TimerWheel,
    counts: ProcessCounts | null = null,
  ) {
    this.counts = counts;
    this.name = config.name;
    this.config = config;
    this.metrics = metrics;
    this.createPool = (endpoint, priority) => createPool(this, endpoint, priority);
    const create = (host: string, port: number): Endpoint<P> =>
      this.createEndpoint(host, port, 1, 'healthy', config.tls);
    const { originalDestination } = config;
    if (config.isPassthrough) this.onDemand = new Passthrough(create);
    else if (originalDestination === null) this.onDemand = null;
    else {
      this.onDemand = new OriginalDestination(originalDestination, timers, create, () => {
        metrics.invalidDestinations.value++;
      });
    }
    this.hasEndpoints = this.onDemand !== null;
    if (this.onDemand !== null) this.balancer = this.onDemand;
  }

  /** The endpoint for a request, null where there is none (503, flag UH). */
  pick(random: Random, authority: string, origin: PickOrigin | null = null): Endpoint<P> | null {
    return this.balancer.pick(random, authority, origin);
  }

  /** What the cluster holds for requests of a priority; made when the first pool needs it. */
  breaker(priority: RoutingPriority): CircuitBreaker {
    const limits = this.config.breakers[priority];
    const { counts } = this;
    return (this.breakers[priority] ??= new CircuitBreaker(
      limits,
      this.metrics.circuitBreaker(priority, limits.tracksRemaining),
      counts === null ? null : { counts, name: `cluster ${this.name} ${priority}` },
    ));
  }

  /** Sets the gauges of what threads count together; to be called when somebody reads them. */
  showBreakers(): void {
    if (this.counts === null) return;
    this.breakers.default?.show();
    this.breakers.high?.show();
  }

  /** All endpoints, those that can't be picked too. */
  get endpoints(): readonly Endpoint<P>[] {
    return this.onDemand === null ? [...this.byAddress.values()] : this.onDemand.endpoints;
  }

  /** Replaces the list of endpoints. Those that stay keep their object; those that go are removed. */
  setEndpoints({ endpoints: list, overprovisioningPercent }: EndpointList, random: Random): void {
    const previous = this.byAddress;
    const next = new Map<string, Endpoint<P>>();
    for (const { host, port, name, weight, health, priority, takesTunnels, traits } of list) {
      const address = hostPort(host, port);
      // A list that names an endpoint twice gives it one object; the last one's weight and health hold.
      const tls = transportFor(this.config.transportMatches, traits, this.config.tls);
      const known = next.get(address) ?? previous.get(address);
      // Connections are never reused for what asks for other ones.
      const endpoint = known?.tls === tls ? known : this.createEndpoint(host, port, weight, health, tls);
      endpoint.name = name;
      endpoint.weight = weight;
      endpoint.priority = priority;
      endpoint.takesTunnels = takesTunnels;
      if (endpoint.health !== health) this.changeHealth(endpoint, health);
      next.set(address, endpoint);
    }
    this.byAddress = next;
    this.balancer = chooseBalancer(
      next.values(),
      this.config.balancing,
      overprovisioningPercent,
      random,
      this.metrics.panicPicks,
    );
    this.hasEndpoints = true;
    this.metrics.endpoints.value = next.size;
    this.metrics.endpointsHealthy.value = countHealth(next.values(), 'healthy');
    this.metrics.endpointsDegraded.value = countHealth(next.values(), 'degraded');
    this.metrics.endpointsExcluded.value = countHealth(next.values(), 'draining');
    let changed = next.size !== previous.size;
    for (const [address, endpoint] of previous) {
      if (next.get(address) === endpoint) continue;
      changed = true;
      endpoint.remove();
    }
    if (changed) this.metrics.membershipChanges.value++;
  }

  /**
   * Sends the connections of a logical endpoint, whose name stays, to another address; those that it has live on. Its
   * first address makes the endpoint.
   */
  setAddress(config: EndpointConfig, random: Random): void {
    const [endpoint] = this.byAddress.values();
    if (endpoint === undefined) {
      this.setEndpoints(
        { endpoints: [config], overprovisioningPercent: defaultOverprovisioningPercent },
        random,
      );
    } else {
      endpoint.moveTo(config.host);
    }
  }

  /** The cluster is gone: its endpoints are removed, requests on them may end, its metrics are no longer exported. */
  close(): void {
    this.balancer = emptyLoadBalancer;
    this.discovery?.close();
    this.onDemand?.close();
    for (const endpoint of this.byAddress.values()) endpoint.remove();
    this.byAddress = new Map();
    this.breakers.default?.close();
    this.breakers.high?.close();
    this.metrics.close();
  }

  private createEndpoint(
    host: string,
    port: number,
    weight: number,
    health: EndpointHealth,
    tls: UpstreamTlsConfig | null,
  ): Endpoint<P> {
    const endpoint = new Endpoint(host, port, weight, health, this.createPool, tls);
    const { default: usual, high } = this.config.breakers;
    const isLimited = Math.min(usual.maxConnectionsPerEndpoint, high.maxConnectionsPerEndpoint) < noLimit;
    if (this.counts !== null && isLimited) {
      endpoint.sharedConnections = this.counts.open(`endpoint ${this.name} ${hostPort(host, port)}`);
    }
    return endpoint;
  }

  private changeHealth(endpoint: Endpoint<P>, health: EndpointHealth): void {
    endpoint.health = health;
    if (health === 'unhealthy' && this.config.dropsConnectionsOfUnhealthy) endpoint.dropConnections();
  }
}

function countHealth(endpoints: Iterable<Endpoint<EndpointPool>>, health: EndpointHealth): number {
  let count = 0;
  for (const endpoint of endpoints) if (endpoint.health === health) count++;
  return count;
}
