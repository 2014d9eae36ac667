// Hot path.
import { isIP } from 'node:net';
import type { Random, TimerWheel, TimerWheelEntry } from '@heddle/base';
import { type Endpoint, type EndpointPool, hostPort } from './endpoint.ts';
import type { LoadBalancer, PickOrigin } from './load-balancer.ts';
import { parseAuthority } from './passthrough.ts';

/** An `ORIGINAL_DST` cluster, as its configuration says it. */
export interface OriginalDestinationConfig {
  /** A request field that overrides the connection's destination, lower case; null where none does. */
  readonly headerName: string | null;
  /** Instead of the destination's port; 0 for that one. */
  readonly portOverride: number;
  /** An endpoint that nobody used for this long, and that has no connection, is forgotten. */
  readonly cleanupMs: number;
}

/** Sends each connection or request where the client wanted to go before it was intercepted. */
export class OriginalDestination<P extends EndpointPool> implements LoadBalancer<P>, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly config: OriginalDestinationConfig;
  private readonly timers: TimerWheel;
  private readonly createEndpoint: (host: string, port: number) => Endpoint<P>;
  private readonly onInvalidHeader: () => void;
  private readonly byAddress = new Map<string, Endpoint<P>>();
  /** Picked since the last look. */
  private readonly used = new Set<Endpoint<P>>();

  constructor(
    config: OriginalDestinationConfig,
    timers: TimerWheel,
    createEndpoint: (host: string, port: number) => Endpoint<P>,
    onInvalidHeader: () => void,
  ) {
    this.config = config;
    this.timers = timers;
    this.createEndpoint = createEndpoint;
    this.onInvalidHeader = onInvalidHeader;
  }

  get endpoints(): Endpoint<P>[] {
    return [...this.byAddress.values()];
  }

  pick(_random: Random, _authority: string, origin: PickOrigin | null): Endpoint<P> | null {
    if (origin === null) return null;
    const { headerName, portOverride } = this.config;
    const header = headerName === null ? null : origin.requestHeader(headerName);
    const destination = header === null ? origin.originalDestination : this.parse(header);
    if (destination === null) return null;
    const port = portOverride === 0 ? destination.port : portOverride;
    const address = hostPort(destination.host, port);
    let endpoint = this.byAddress.get(address);
    if (endpoint === undefined) {
      endpoint = this.createEndpoint(destination.host, port);
      this.byAddress.set(address, endpoint);
      if (this.wheelSlot < 0) this.timers.arm(this, this.config.cleanupMs);
    }
    this.used.add(endpoint);
    return endpoint;
  }

  onTimeout(): void {
    for (const [address, endpoint] of this.byAddress) {
      if (this.used.has(endpoint) || endpoint.connections > 0) continue;
      this.byAddress.delete(address);
      endpoint.remove();
    }
    this.used.clear();
    if (this.byAddress.size > 0) this.timers.arm(this, this.config.cleanupMs);
  }

  close(): void {
    this.timers.disarm(this);
    for (const endpoint of this.byAddress.values()) endpoint.remove();
    this.byAddress.clear();
  }

  /** An IP address and a port, nothing else. */
  private parse(header: string): { readonly host: string; readonly port: number } | null {
    const parsed = /:\d+$/.test(header) ? parseAuthority(header) : null;
    if (parsed !== null && isIP(parsed.host) !== 0) return parsed;
    this.onInvalidHeader();
    return null;
  }
}
