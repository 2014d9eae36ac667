// Hot path.
import type { ProcessCount } from '../stack/process-counts.ts';
import type { RoutingPriority } from './cluster-metrics.ts';
import { addressAt, describeAddress } from '../transport/address.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import type { TransportAddress } from '../transport/transport.ts';

/** What holds the connections to one endpoint. */
export interface EndpointPool {
  /** The endpoint has left the cluster: idle connections are closed, busy ones when their request has ended. */
  close(): void;
  /** Drops all connections, busy ones too. */
  dropConnections(): void;
}

/** Makes an endpoint's pool for the requests of one priority. */
export type PoolFactory<P extends EndpointPool> = (endpoint: Endpoint<P>, priority: RoutingPriority) => P;

/** A share of an endpoint's requests, as large as its weight to the sum of weights; the usual one is 1. */
export type EndpointWeight = number;

/**
 * Whether an endpoint may be picked: a degraded one where the healthy ones can't take everything. One that drains keeps the
 * requests it has.
 */
export type EndpointHealth = 'healthy' | 'degraded' | 'unhealthy' | 'draining';

/** An IPv6 address in brackets, anything else as it is, with the port. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * One upstream host. The object is the same for as long as its host and port are in the cluster, so that its connections
 * and counts survive every update of the list around it.
 */
export class Endpoint<P extends EndpointPool> {
  /** IP address; in a pass-through cluster perhaps a name; a Unix socket's path. */
  host: string;
  readonly port: number;
  /** Of connections to it; null for plain ones. */
  readonly tls: UpstreamTlsConfig | null;
  /** Where new connections go. */
  target: TransportAddress;
  /** `host:port`, as logs show it. */
  address: string;
  /** What it is called (`auto_host_rewrite`); empty where it has only an address. */
  name = '';
  /** For requests of the default priority. */
  readonly pool: P;
  weight: EndpointWeight;
  health: EndpointHealth;
  /** 0 is used first. */
  priority = 0;
  /** It takes TCP connections as streams of a link (CONNECT), where its callers have such streams. */
  takesTunnels = true;
  /** It has left the cluster: never picked again, requests on it may end. */
  isRemoved = false;
  /** Connections to it, made or being made; kept by its pools, as the next six are. */
  connections = 0;
  /** The same over all threads, where they share a limit for it. */
  sharedConnections: ProcessCount | null = null;
  connectionsTotal = 0;
  connectFailures = 0;
  /** Requests that wait for a connection to it. */
  pendingRequests = 0;
  /** Requests on it now. */
  activeRequests = 0;
  requestsTotal = 0;
  /** Requests answered with a status below 500. */
  requestsSucceeded = 0;
  /** Requests that ended without a response or with a 5xx. */
  requestsFailed = 0;
  requestTimeouts = 0;

  private readonly createHighPool: () => P;
  private highPool: P | null = null;

  /** `createPool` makes a pool for each priority that is used, once. */
  constructor(
    host: string,
    port: number,
    weight: EndpointWeight,
    health: EndpointHealth,
    createPool: PoolFactory<P>,
    tls: UpstreamTlsConfig | null = null,
  ) {
    this.host = host;
    this.port = port;
    this.target = addressAt(host, port);
    this.address = describeAddress(this.target);
    this.weight = weight;
    this.health = health;
    this.tls = tls;
    this.createHighPool = () => createPool(this, 'high');
    this.pool = createPool(this, 'default');
  }

  /** Called by the cluster when the endpoint has left it. Idempotent. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.pool.close();
    this.highPool?.close();
    this.sharedConnections?.close();
  }

  /** Connections of requests of one priority never carry those of the other. */
  poolOf(priority: RoutingPriority): P {
    return priority === 'default' ? this.pool : (this.highPool ??= this.createHighPool());
  }

  /** Its name has another address now: connections made from now on go there. */
  moveTo(host: string): void {
    this.host = host;
    this.target = addressAt(host, this.port);
    this.address = describeAddress(this.target);
  }

  dropConnections(): void {
    this.pool.dropConnections();
    this.highPool?.dropConnections();
  }
}
