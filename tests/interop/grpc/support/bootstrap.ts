// One configuration for Envoy and for Heddle: gRPC over HTTP/2 without TLS, and gRPC-Web, to one server.

export interface Ports {
  readonly listener: number;
  readonly admin: number;
  readonly server: number;
}

function typed(type: string, fields: object = {}): object {
  return { '@type': `type.googleapis.com/${type}`, ...fields };
}

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

/** A bootstrap; the route has no timeout of its own, so that callers' deadlines are the only ones. */
export function bootstrapOf({ listener, admin, server }: Ports): object {
  const http = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'grpc',
    stream_idle_timeout: '60s',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'server', timeout: '0s' } }],
        },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.grpc_web',
        typed_config: typed('envoy.extensions.filters.http.grpc_web.v3.GrpcWeb'),
      },
      {
        name: 'envoy.filters.http.router',
        typed_config: typed('envoy.extensions.filters.http.router.v3.Router'),
      },
    ],
  });
  const endpoint = { endpoint: { address: address(server) } };
  return {
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: 'grpc',
          address: address(listener),
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: http }] },
          ],
        },
      ],
      clusters: [
        {
          name: 'server',
          type: 'STATIC',
          connect_timeout: '5s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              { explicit_http_config: { http2_protocol_options: {} } },
            ),
          },
          load_assignment: { cluster_name: 'server', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}
