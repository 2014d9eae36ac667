/** What to intercept, in the words of Istio's annotations `traffic.sidecar.istio.io/…`. */
export interface InterceptionOptions {
  /** REDIRECT rewrites inbound connections to the proxy; TPROXY leaves both addresses as they are. Outbound is redirected. */
  readonly mode: 'redirect' | 'tproxy';
  /** What these users and groups send is the proxy's own, and not intercepted. */
  readonly proxyUids: readonly number[];
  readonly proxyGids: readonly number[];
  /** The proxy's listener for what the machine's programs send. */
  readonly outboundPort: number;
  /** The proxy's listener for what others send to this machine. */
  readonly inboundPort: number;
  readonly includeOutboundIpRanges: Selection<string>;
  readonly excludeOutboundIpRanges: readonly string[];
  /** Intercepted whatever the address is. */
  readonly includeOutboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  readonly includeInboundPorts: Selection<number>;
  /** Has an effect where all ports are included. */
  readonly excludeInboundPorts: readonly number[];
  /** Nothing that comes or goes through these network interfaces is intercepted. */
  readonly excludeInterfaces: readonly string[];
  /** Null: DNS is not captured. */
  readonly dns: DnsCapture | null;
  /** The mark of packets that the proxy sends in the name of others; TPROXY only. */
  readonly tproxyMark: number;
  /** The routing table that leads the answers to such packets back to the proxy. */
  readonly tproxyRouteTable: number;
}

/**
 * Where the proxy connects from when it passes an inbound connection on to its original destination (Istio's
 * InboundPassthroughCluster): not to be intercepted once more.
 */
export const passthroughAddress = { ipv4: '127.0.0.6', ipv6: '::6' } as const;

/** The numbers of Istio: those that rules and listeners have where nothing else is said. */
export const interceptionDefaults = {
  outboundPort: 15_001,
  inboundPort: 15_006,
  dnsPort: 15_053,
  /** User and group of the proxy. */
  owner: 1337,
  mark: 1337,
  routeTable: 133,
} as const;

/** Everything, or only what is listed. */
export type Selection<T> = '*' | readonly T[];

export interface DnsCapture {
  /** The proxy's DNS listener, UDP and TCP. */
  readonly port: number;
  /** Queries to these name servers only, as those of /etc/resolv.conf, or all that go to port 53. */
  readonly servers: Selection<string>;
}

/** Ports of the proxy itself that others may reach: HBONE, metrics, health and telemetry, as Istio numbers them. */
export const proxyOwnPorts: readonly number[] = [15_008, 15_020, 15_021, 15_090];

/** Left alone unless it is named, so that nobody locks himself out of a machine. */
export const sshPort = 22;
