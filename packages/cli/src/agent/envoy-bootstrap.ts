// Envoy's bootstrap: everything comes by one stream from the agent's socket.
import type { BindAddress } from '@heddle/proxy';
import type { ForeignNode } from './agent-node.ts';

/** The agent, as Envoy's clusters know it. Istio's name for it. */
const agentCluster = 'xds-grpc';

type Json = Readonly<Record<string, unknown>>;

const http2Options: Json = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

/** Until it has its clusters and listeners Envoy is not ready, however long that takes: without them it would serve nobody. */
const fromAgent: Json = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

/** The content of Envoy's `-c` file. `admin` is bound on loopback; `socketPath` is the agent's socket. */
export function envoyBootstrap(node: ForeignNode, admin: BindAddress, socketPath: string): Json {
  return {
    node,
    admin: {
      address: { socket_address: { address: admin.address, port_value: admin.port } },
    },
    // Requests that it sends are counted by the control plane.
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: agentCluster } }],
      },
    },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            envoy_grpc: {
              cluster_name: agentCluster,
              // The default goes up to half a minute, in which a control plane that is back would not be asked.
              retry_policy: { retry_back_off: { base_interval: '0.25s', max_interval: '2s' } },
            },
          },
        ],
      },
      cds_config: fromAgent,
      lds_config: fromAgent,
    },
    static_resources: {
      clusters: [
        {
          name: agentCluster,
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: http2Options,
          load_assignment: {
            cluster_name: agentCluster,
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socketPath } } } }] }],
          },
        },
      ],
    },
  };
}
