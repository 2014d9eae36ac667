// The configuration of the proxy under load: all of Envoy's defaults but those that would end a slow transfer or that are
// to be waited for.

type Json = Readonly<Record<string, unknown>>;

/** The name in the certificate of the servers and of the proxy. */
export const serverName = 'web.example';
/** How long a head may take. */
export const headTimeoutMs = 2000;

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const at = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function httpFilter(cluster: string): Json {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
      stat_prefix: cluster,
      request_headers_timeout: `${headTimeoutMs / 1000}s`,
      route_config: {
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: '/' }, route: { cluster, timeout: '0s' } }],
          },
        ],
      },
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': type('filters.http.router.v3.Router') },
        },
      ],
    },
  };
}

function tcpFilter(cluster: string): Json {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': type('filters.network.tcp_proxy.v3.TcpProxy'),
      stat_prefix: cluster,
      cluster,
    },
  };
}

const shownCertificate: Json = {
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { filename: 'cert.pem' }, private_key: { filename: 'key.pem' } },
      ],
    },
  },
};
const verifiedServer: Json = {
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': type('transport_sockets.tls.v3.UpstreamTlsContext'),
    sni: serverName,
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: 'root.pem' },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
      },
    },
  },
};

function listener(name: string, filter: Json, transport?: Json): Json {
  const chain = { filters: [filter], ...(transport === undefined ? {} : { transport_socket: transport }) };
  return { name, address: at(0), filter_chains: [chain] };
}

function cluster(name: string, port: number, transport?: Json): Json {
  return {
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
    },
    ...(transport === undefined ? {} : { transport_socket: transport }),
  };
}

/** Four listeners, each with a server behind it: see `ListenerName`. */
export function bootstrapFor(ports: {
  readonly plain: number;
  readonly tls: number;
  readonly bytes: number;
}): Json {
  return {
    static_resources: {
      listeners: [
        listener('plain', httpFilter('plain')),
        listener('tls', httpFilter('tls'), shownCertificate),
        listener('tcp', tcpFilter('bytes')),
        listener('tcp-tls', tcpFilter('bytes'), shownCertificate),
      ],
      clusters: [
        cluster('plain', ports.plain),
        cluster('tls', ports.tls, verifiedServer),
        cluster('bytes', ports.bytes),
      ],
    },
  };
}
