// What setups are made of.
export type Json = Readonly<Record<string, unknown>>;

/** What a setup changes in the plain one. */
export interface Setup {
  /** Members of the bootstrap file. */
  readonly bootstrap?: Json;
  /** Network filters in front of the one that serves. */
  readonly filtersBefore?: readonly Json[];
  /** Fields of the HTTP connection manager. */
  readonly manager?: Json;
  /** Fields of the one route's action. */
  readonly action?: Json;
  /** Routes in front of the one that leads everything to `be`. */
  readonly routes?: readonly Json[];
  /** Fields of the route configuration. */
  readonly routeConfig?: Json;
  /** Fields of the one virtual host. */
  readonly virtualHost?: Json;
  /** `HttpProtocolOptions` of the cluster. */
  readonly upstreamHttp?: Json;
  /** Fields of the cluster. */
  readonly cluster?: Json;
  /** The listener has no HTTP connection manager but this network filter. */
  readonly filter?: Json;
  /** In front of the router. */
  readonly httpFilters?: readonly Json[];
  /** Access logs with these filters, and one that logs everything. */
  readonly logs?: readonly { readonly label: string; readonly filter: Json }[];
  /** In front of the network filter that ends the chain. */
  readonly networkFilters?: readonly Json[];
  readonly listenerFilters?: readonly Json[];
  /** Fields of the listener. */
  readonly listener?: Json;
  /** Fields of the one filter chain. */
  readonly chain?: Json;
  /** Filter chains in front of the one that matches everything. */
  readonly chains?: readonly Json[];
  /** Other clusters, as `be` but for the name. */
  readonly clusters?: readonly string[];
  /** Fields of the cluster's endpoint. */
  readonly endpoint?: Json;
  /** Fields of the entry that holds the endpoint. */
  readonly lbEndpoint?: Json;
  /** What answers where the cluster leads; HTTP/1.1 unless it is said. */
  readonly upstreamSpeaks?: 'http2' | 'http2-over-tls';
  /** Beside the endpoint there is one where nothing listens. */
  readonly hasDeadEndpoint?: boolean;
  /** Nothing listens where the cluster leads. */
  readonly isUpstreamDown?: boolean;
}

export const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
export const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('filters.http.router.v3.Router') },
};
export const tcpProxy = (cluster = 'be', more: Json = {}): Json => ({
  name: 'envoy.filters.network.tcp_proxy',
  typed_config: {
    '@type': type('filters.network.tcp_proxy.v3.TcpProxy'),
    stat_prefix: 'in',
    cluster,
    ...more,
  },
});
export const downstreamTls = (common: Json = {}, more: Json = {}): Json => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { filename: 'cert.pem' }, private_key: { filename: 'key.pem' } },
      ],
      ...common,
    },
    ...more,
  },
});
export const listenerFilter = (name: string, config: string, more: Json = {}): Json => ({
  name: `envoy.filters.listener.${name}`,
  typed_config: { '@type': type(`filters.listener.${name}.v3.${config}`), ...more },
});
export const tlsInspector = listenerFilter('tls_inspector', 'TlsInspector');
export const httpInspector = listenerFilter('http_inspector', 'HttpInspector');
