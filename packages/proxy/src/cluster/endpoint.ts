// Hot path.

/** What holds the connections to one endpoint. */
export interface EndpointPool {
  /** The endpoint has left the cluster: idle connections are closed, busy ones when their request has ended. */
  close(): void;
}

/** A share of an endpoint's requests, as large as its weight to the sum of weights; the usual one is 1. */
export type EndpointWeight = number;

/** Whether an endpoint may be picked. One that drains keeps the requests it has. */
export type EndpointHealth = 'healthy' | 'unhealthy' | 'draining';

/** An IPv6 address in brackets, anything else as it is, with the port. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * One upstream host. The object is the same for as long as its host and port are in the cluster, so that its connections
 * and counts survive every update of the list around it.
 */
export class Endpoint<P extends EndpointPool> {
  /** IP address; in a pass-through cluster perhaps a name. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, as logs show it. */
  readonly address: string;
  readonly pool: P;
  weight: EndpointWeight;
  health: EndpointHealth;
  /** It has left the cluster: never picked again, requests on it may end. */
  isRemoved = false;
  /** Requests on it now, kept by whoever sends them. */
  activeRequests = 0;
  requestsTotal = 0;
  /** Requests that ended without a response or with a 5xx. */
  requestsFailed = 0;

  /** `createPool` makes the pool; it is called once, with the endpoint it is for. */
  constructor(
    host: string,
    port: number,
    weight: EndpointWeight,
    health: EndpointHealth,
    createPool: (endpoint: Endpoint<P>) => P,
  ) {
    this.host = host;
    this.port = port;
    this.address = hostPort(host, port);
    this.weight = weight;
    this.health = health;
    this.pool = createPool(this);
  }

  /** Called by the cluster when the endpoint has left it. Idempotent. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.pool.close();
  }
}
