// Hot path.
import type { Random } from '@heddle/base';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import type { LoadBalancer } from './load-balancer.ts';

const defaultPort = 80;
const maxEndpoints = 256;
const maxPort = 65_535;
const hostAndPort = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]@/?#\s]+))(?::(\d{1,5}))?$/;

/** Host and port of an authority, with port 80 where it names none; null where it is neither name nor address. */
export function parseAuthority(authority: string): { readonly host: string; readonly port: number } | null {
  const parts = hostAndPort.exec(authority);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) return null;
  const port = parts?.[3] === undefined ? defaultPort : Number(parts[3]);
  return port >= 1 && port <= maxPort ? { host: host.toLowerCase(), port } : null;
}

/**
 * Sends each request to the host that its authority names: for hosts outside the mesh, through the listener that
 * `HTTP_PROXY` points at. It keeps the endpoints of the 256 authorities used last.
 */
export class Passthrough<P extends EndpointPool> implements LoadBalancer<P> {
  /** By authority, the one used longest ago first. */
  private readonly byAuthority = new Map<string, Endpoint<P>>();
  private readonly createEndpoint: (host: string, port: number) => Endpoint<P>;
  private newest: Endpoint<P> | null = null;
  private newestAuthority = '';

  constructor(createEndpoint: (host: string, port: number) => Endpoint<P>) {
    this.createEndpoint = createEndpoint;
  }

  /** The endpoints kept now. */
  get endpoints(): Endpoint<P>[] {
    return [...this.byAuthority.values()];
  }

  pick(_random: Random, authority: string): Endpoint<P> | null {
    if (authority === this.newestAuthority && this.newest !== null) return this.newest;
    let endpoint = this.byAuthority.get(authority);
    if (endpoint === undefined) {
      const parsed = parseAuthority(authority);
      if (parsed === null) return null;
      endpoint = this.createEndpoint(parsed.host, parsed.port);
    } else {
      this.byAuthority.delete(authority);
    }
    this.byAuthority.set(authority, endpoint);
    this.newest = endpoint;
    this.newestAuthority = authority;
    if (this.byAuthority.size > maxEndpoints) this.evictOldest();
    return endpoint;
  }

  /** Removes all endpoints. */
  close(): void {
    for (const endpoint of this.byAuthority.values()) endpoint.remove();
    this.byAuthority.clear();
    this.newest = null;
    this.newestAuthority = '';
  }

  private evictOldest(): void {
    for (const [authority, endpoint] of this.byAuthority) {
      this.byAuthority.delete(authority);
      endpoint.remove();
      return;
    }
  }
}
