// gRPC: calls as they are, from web pages, and over HTTP/1.1. The upstream speaks HTTP/2.
import { type Json, type Setup, type } from './parts.ts';

const http2: Json = { explicit_http_config: { http2_protocol_options: {} } };
const stats: Json = {
  name: 'envoy.filters.http.grpc_stats',
  typed_config: { '@type': type('filters.http.grpc_stats.v3.FilterConfig'), stats_for_all_methods: true },
};
const web: Json = {
  name: 'envoy.filters.http.grpc_web',
  typed_config: { '@type': type('filters.http.grpc_web.v3.GrpcWeb') },
};
const bridge = (options: Json = {}): Json => ({
  name: 'envoy.filters.http.grpc_http1_bridge',
  typed_config: { '@type': type('filters.http.grpc_http1_bridge.v3.Config'), ...options },
});
/** Denies what has a field `x-deny`. */
const rbac: Json = {
  name: 'envoy.filters.http.rbac',
  typed_config: {
    '@type': type('filters.http.rbac.v3.RBAC'),
    rules: {
      action: 'DENY',
      policies: {
        p: {
          permissions: [{ header: { name: 'x-deny', present_match: true } }],
          principals: [{ any: true }],
        },
      },
    },
  },
};
const quiet = { upstreamSpeaks: 'http2', upstreamHttp: http2 } as const;
const common = { ...quiet, logs: [] } as const;
const counted = { ...common, httpFilters: [stats] } as const;
/** Without logs: either has words of its own for why nobody can be reached. */
const down = { ...quiet, isUpstreamDown: true } as const;

export const grpcSetups = {
  grpc: { ...common, httpFilters: [rbac, stats] },
  'grpc-no-route': {
    ...counted,
    virtualHost: { routes: [{ match: { prefix: '/elsewhere' }, route: { cluster: 'be' } }] },
  },
  'grpc-no-cluster': { ...counted, action: { cluster: 'nowhere' } },
  'grpc-no-endpoint': { ...counted, cluster: { load_assignment: { cluster_name: 'be' } } },
  'grpc-down': { ...down, httpFilters: [stats] },
  'grpc-timeout': { ...counted, action: { timeout: '0.2s' } },
  'grpc-deadline': {
    ...counted,
    action: { max_stream_duration: { grpc_timeout_header_max: '5s' } },
  },
  'grpc-retries': {
    ...counted,
    action: { retry_policy: { retry_on: 'unavailable,cancelled', num_retries: 1 } },
  },
  'grpc-web': { ...common, httpFilters: [web, rbac] },
  'grpc-web-behind': { ...common, httpFilters: [rbac, web] },
  'grpc-web-down': { ...down, httpFilters: [web] },
  'grpc-bridge': { ...common, httpFilters: [bridge(), rbac] },
  'grpc-bridge-options': {
    ...common,
    httpFilters: [bridge({ upgrade_protobuf_to_grpc: true, ignore_query_parameters: true }), rbac],
  },
} as const satisfies Readonly<Record<string, Setup>>;
