// A static configuration as an intercepting sidecar has it, with the listeners and clusters of Istio's names.

const http =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const tcpProxy = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
const router = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
const listenerFilter = (name: string, type: string, more: object = {}): object => ({
  name: `envoy.filters.listener.${name}`,
  typed_config: {
    '@type': `type.googleapis.com/envoy.extensions.filters.listener.${name}.v3.${type}`,
    ...more,
  },
});

/** Says where a connection or request was meant to go; a line each. */
const accessLog = (kind: string): object[] => [
  {
    name: 'envoy.access_loggers.stdout',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
      log_format: {
        text_format_source: {
          inline_string: `${kind} %DOWNSTREAM_LOCAL_ADDRESS% from %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n`,
        },
      },
    },
  },
];

const socketAddress = (address: string, port: number): object => ({
  socket_address: { address, port_value: port },
});

function httpChain(prefix: string, routes: object): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': http,
      stat_prefix: prefix,
      access_log: accessLog(`${prefix} http`),
      route_config: routes,
      http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': router } }],
    },
  };
}

function tcpChain(prefix: string, cluster: string): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: { '@type': tcpProxy, stat_prefix: prefix, cluster, access_log: accessLog(`${prefix} tcp`) },
  };
}

const route = (domains: readonly string[], cluster: string): object => ({
  name: cluster,
  domains,
  routes: [{ match: { prefix: '/' }, route: { cluster } }],
});

function staticCluster(name: string, address: string, port: number): object {
  const endpoint = { endpoint: { address: socketAddress(address, port) } };
  const loadAssignment = { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] };
  return { name, type: 'STATIC', connect_timeout: '2s', load_assignment: loadAssignment };
}

const originalDestination = (name: string, more: object = {}): object => ({
  name,
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
  connect_timeout: '2s',
  ...more,
});

/** A connection can only come from an address of its own family. */
const families = [
  { family: 'Ipv4', network: '0.0.0.0', source: '127.0.0.6' },
  { family: 'Ipv6', network: '::', source: '::6' },
] as const;

export interface SidecarSettings {
  readonly isTransparent: boolean;
  /** Where the mesh's service `named.mesh.test` is. */
  readonly service: string;
  /** Where the application listens. */
  readonly applicationPort: number;
  /** The inbound port that HTTP is served on. */
  readonly servicePort: number;
}

/** The configuration as JSON. */
export function sidecarBootstrap(settings: SidecarSettings): string {
  const bind = { socket_address: { address: '::', port_value: 0, ipv4_compat: true } };
  const at = (port: number): object => ({ socket_address: { ...bind.socket_address, port_value: port } });
  // A server-first protocol says nothing for the inspector to look at.
  const detection = { listener_filters_timeout: '0.3s', continue_on_listener_filters_timeout: true };
  const originalDst = listenerFilter('original_dst', 'OriginalDst');
  const outbound = {
    name: 'virtualOutbound',
    traffic_direction: 'OUTBOUND',
    address: at(15_001),
    listener_filters: [originalDst, listenerFilter('http_inspector', 'HttpInspector')],
    ...detection,
    filter_chains: [
      {
        name: 'http',
        filter_chain_match: { application_protocols: ['http/1.1', 'http/1.0'] },
        filters: [
          httpChain('outbound', {
            virtual_hosts: [
              route(['named.mesh.test', 'named.mesh.test:*'], 'named'),
              route(['*'], 'PassthroughCluster'),
            ],
          }),
        ],
      },
    ],
    default_filter_chain: { name: 'tcp', filters: [tcpChain('outbound', 'PassthroughCluster')] },
  };
  const inbound = {
    name: 'virtualInbound',
    traffic_direction: 'INBOUND',
    address: at(15_006),
    ...(settings.isTransparent ? { transparent: true } : {}),
    listener_filters: [
      originalDst,
      ...(settings.isTransparent ? [listenerFilter('original_src', 'OriginalSrc', { mark: 1337 })] : []),
    ],
    filter_chains: [
      {
        name: 'service',
        filter_chain_match: { destination_port: settings.servicePort },
        filters: [httpChain('inbound', { virtual_hosts: [route(['*'], 'application')] })],
      },
      ...families.map(({ family, network }) => ({
        name: family,
        filter_chain_match: { prefix_ranges: [{ address_prefix: network, prefix_len: 0 }] },
        filters: [tcpChain('inbound', `InboundPassthroughCluster${family}`)],
      })),
    ],
  };
  const application = settings.isTransparent
    ? originalDestination('application')
    : staticCluster('application', '127.0.0.1', settings.applicationPort);
  const inboundPassthrough = families.map(({ family, source }) =>
    originalDestination(
      `InboundPassthroughCluster${family}`,
      settings.isTransparent
        ? {}
        : { upstream_bind_config: { source_address: { address: source, port_value: 0 } } },
    ),
  );
  return JSON.stringify({
    admin: { address: socketAddress('127.0.0.1', 15_000) },
    static_resources: {
      listeners: [outbound, inbound],
      clusters: [
        originalDestination('PassthroughCluster'),
        ...inboundPassthrough,
        application,
        staticCluster('named', settings.service, 80),
      ],
    },
  });
}
