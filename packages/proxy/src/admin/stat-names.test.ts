import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dottedName } from './stat-names.ts';

/** As Envoy 1.40 shows the same series under /stats and /stats/prometheus. */
const names: readonly [dotted: string, family: string, labels: Record<string, string>][] = [
  ['cluster.be.upstream_rq_total', 'envoy_cluster_upstream_rq_total', { envoy_cluster_name: 'be' }],
  [
    'cluster.be.upstream_rq_2xx',
    'envoy_cluster_upstream_rq_xx',
    { envoy_cluster_name: 'be', envoy_response_code_class: '2' },
  ],
  [
    'cluster.be.external.upstream_rq_404',
    'envoy_cluster_external_upstream_rq',
    { envoy_cluster_name: 'be', envoy_response_code: '404' },
  ],
  [
    'cluster.outbound|80||a.b.circuit_breakers.default.rq_pending_open',
    'envoy_cluster_circuit_breakers_default_rq_pending_open',
    { envoy_cluster_name: 'outbound|80||a.b' },
  ],
  ['cluster.be.grpc.14', 'envoy_cluster_grpc_14', { envoy_cluster_name: 'be' }],
  [
    'cluster.be.grpc.Svc.One.request_message_count',
    'envoy_cluster_grpc_request_message_count',
    { envoy_cluster_name: 'be', envoy_grpc_bridge_service: 'Svc', envoy_grpc_bridge_method: 'One' },
  ],
  [
    'cluster.be.grpc-web.a.$1.C.success',
    'envoy_cluster_grpc_web_success',
    { envoy_cluster_name: 'be', envoy_grpc_bridge_service: 'a.$1', envoy_grpc_bridge_method: 'C' },
  ],
  ['cluster.be.ssl.handshake', 'envoy_cluster_ssl_handshake', { envoy_cluster_name: 'be' }],
  [
    'dns_filter.dns.a_record_queries',
    'envoy_dns_filter_a_record_queries',
    { envoy_dns_filter_prefix: 'dns' },
  ],
  ['cluster_manager.active_clusters', 'envoy_cluster_manager_active_clusters', {}],
  ['http2.rx_reset', 'envoy_http2_rx_reset', {}],
  ['cluster.be.http2.rx_reset', 'envoy_cluster_http2_rx_reset', { envoy_cluster_name: 'be' }],
  [
    'http.in.downstream_rq_5xx',
    'envoy_http_downstream_rq_xx',
    { envoy_http_conn_manager_prefix: 'in', envoy_response_code_class: '5' },
  ],
  [
    'http.in.downstream_cx_http1_total',
    'envoy_http_downstream_cx_http1_total',
    { envoy_http_conn_manager_prefix: 'in' },
  ],
  ['np.rbac.denied', 'envoy_rbac_denied', { envoy_rbac_prefix: 'np' }],
  [
    'np.rbac.sh_.shadow_allowed',
    'envoy_rbac_shadow_allowed',
    { envoy_rbac_prefix: 'np', envoy_rbac_shadow_prefix: 'sh_' },
  ],
  ['http.in.rbac.allowed', 'envoy_http_rbac_allowed', { envoy_http_conn_manager_prefix: 'in' }],
  [
    'http.in.rbac.shp.shadow_denied',
    'envoy_http_rbac_shadow_denied',
    { envoy_http_conn_manager_prefix: 'in', envoy_rbac_http_prefix: 'shp' },
  ],
  [
    'http.in.rbac.pre_.policy.p one.allowed',
    'envoy_http_rbac_policy_allowed',
    {
      envoy_http_conn_manager_prefix: 'in',
      envoy_rbac_http_prefix: 'pre_',
      envoy_rbac_policy_name: 'p one',
    },
  ],
  [
    'listener.127.0.0.1_19105.downstream_cx_total',
    'envoy_listener_downstream_cx_total',
    { envoy_listener_address: '127.0.0.1_19105' },
  ],
  [
    'listener.127.0.0.1_19105.http.in.downstream_rq_2xx',
    'envoy_listener_http_downstream_rq_xx',
    {
      envoy_http_conn_manager_prefix: 'in',
      envoy_listener_address: '127.0.0.1_19105',
      envoy_response_code_class: '2',
    },
  ],
  [
    'listener.0.0.0.0_443.ssl.versions.TLSv1.3',
    'envoy_listener_ssl_versions',
    { envoy_listener_address: '0.0.0.0_443', envoy_ssl_version: 'TLSv1.3' },
  ],
  ['listener_manager.total_listeners_active', 'envoy_listener_manager_total_listeners_active', {}],
  ['tcp.db.downstream_cx_total', 'envoy_tcp_downstream_cx_total', { envoy_tcp_prefix: 'db' }],
  ['server.uptime', 'envoy_server_uptime', {}],
  ['istio_requests_total{reporter=source}', 'istio_requests_total', { reporter: 'source' }],
];

for (const [dotted, family, labels] of names) {
  test(`${dotted} is ${family} with its labels`, () => {
    assert.equal(dottedName(family, Object.entries(labels)), dotted);
  });
}
