// One value for each field that a page in docs/ names: what of a small bootstrap file is changed to try it.

export type Json = Readonly<Record<string, unknown>>;

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('filters.http.router.v3.Router') },
};
const routeConfig = {
  virtual_hosts: [
    { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'be' } }] },
  ],
};
const plainManager = {
  '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
  stat_prefix: 'in',
  http_filters: [router],
};
const managerFilter = (manager: Json) => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: { ...plainManager, route_config: routeConfig, ...manager },
});
const chain = { filters: [managerFilter({})] };
const endpoints = (host: string) => ({
  cluster_name: 'be',
  endpoints: [
    {
      lb_endpoints: [{ endpoint: { address: { socket_address: { address: host, port_value: 9000 } } } }],
    },
  ],
});
const plainListener = { name: 'in', address: address(9001), filter_chains: [chain] };
const plainCluster = { name: 'be', type: 'STATIC', load_assignment: endpoints('127.0.0.1') };

/** A bootstrap file that serves, with some of its parts changed. */
export function bootstrapWith(change: Json): unknown {
  const { manager, listener, cluster } = change as Readonly<Record<string, Json | undefined>>;
  const chains = manager === undefined ? {} : { filter_chains: [{ filters: [managerFilter(manager)] }] };
  const file = {
    static_resources: {
      listeners: [{ ...plainListener, ...chains, ...listener }],
      clusters: [{ ...plainCluster, ...cluster }],
    },
  };
  // As it comes from a file: what is undefined is not there.
  return JSON.parse(JSON.stringify(file));
}

const ofListener = (fields: Json): Json => ({ listener: fields });
const ofCluster = (fields: Json): Json => ({ cluster: fields });
const ofManager = (fields: Json): Json => ({ manager: fields });
const named = { strict: { type: 'STRICT_DNS', load_assignment: endpoints('localhost') } };
const ofDns = (fields: Json): Json => ofCluster({ ...named.strict, ...fields });
const metadata = { filter_metadata: { a: { b: 'c' } } };
const fileLog = {
  name: 'envoy.access_loggers.file',
  typed_config: { '@type': type('access_loggers.file.v3.FileAccessLog'), path: '/dev/stdout' },
};
const protocolOptions = (options: Json): Json => ({
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      ...options,
    },
  },
});
const range = [{ address_prefix: '10.0.0.0', prefix_len: 8 }];

/** By kind and field, as the pages spell it. */
export const samples: Readonly<Record<'listener' | 'cluster' | 'manager', Readonly<Record<string, Json>>>> = {
  listener: {
    name: ofListener({ name: 'other' }),
    address: ofListener({ address: address(9002) }),
    filter_chains: ofListener({ filter_chains: [{ ...chain, name: 'first' }] }),
    default_filter_chain: ofListener({ filter_chains: [], default_filter_chain: chain }),
    listener_filters: ofListener({
      listener_filters: [
        {
          name: 'envoy.filters.listener.tls_inspector',
          typed_config: { '@type': type('filters.listener.tls_inspector.v3.TlsInspector') },
        },
      ],
    }),
    listener_filters_timeout: ofListener({ listener_filters_timeout: '1s' }),
    continue_on_listener_filters_timeout: ofListener({ continue_on_listener_filters_timeout: true }),
    use_original_dst: ofListener({ use_original_dst: true }),
    transparent: ofListener({ transparent: true }),
    bind_to_port: ofListener({ bind_to_port: true }),
    traffic_direction: ofListener({ traffic_direction: 'INBOUND' }),
    access_log: ofListener({ access_log: [fileLog] }),
    stat_prefix: ofListener({ stat_prefix: 'mine' }),
    ignore_global_conn_limit: ofListener({ ignore_global_conn_limit: true }),
    transport_socket_connect_timeout: ofListener({
      filter_chains: [{ ...chain, transport_socket_connect_timeout: '1s' }],
    }),
    udp_listener_config: ofListener({
      address: { socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: 53 } },
      filter_chains: [],
      udp_listener_config: {},
      listener_filters: [
        {
          name: 'envoy.filters.udp.dns_filter',
          typed_config: {
            '@type': type('filters.udp.dns_filter.v3.DnsFilterConfig'),
            stat_prefix: 'dns',
            server_config: {
              inline_dns_table: {
                virtual_domains: [{ name: 'a.test', endpoint: { address_list: { address: ['10.0.0.1'] } } }],
              },
            },
          },
        },
      ],
    }),
    metadata: ofListener({ metadata }),
    per_connection_buffer_limit_bytes: ofListener({ per_connection_buffer_limit_bytes: 32768 }),
    enable_reuse_port: ofListener({ enable_reuse_port: true }),
    bypass_overload_manager: ofListener({ bypass_overload_manager: true }),
    tcp_backlog_size: ofListener({ tcp_backlog_size: 128 }),
  },
  cluster: {
    name: ofCluster({ name: 'be' }),
    type: ofDns({}),
    load_assignment: ofCluster({ load_assignment: endpoints('127.0.0.2') }),
    connect_timeout: ofCluster({ connect_timeout: '1s' }),
    lb_policy: ofCluster({ lb_policy: 'LEAST_REQUEST' }),
    common_lb_config: ofCluster({ common_lb_config: { healthy_panic_threshold: { value: 10 } } }),
    circuit_breakers: ofCluster({ circuit_breakers: { thresholds: [{ max_retries: 9, retry_budget: {} }] } }),
    max_requests_per_connection: ofCluster({ max_requests_per_connection: 5 }),
    transport_socket: ofCluster({
      transport_socket: {
        name: 'envoy.transport_sockets.raw_buffer',
        typed_config: { '@type': type('transport_sockets.raw_buffer.v3.RawBuffer') },
      },
    }),
    transport_socket_matches: ofCluster({
      transport_socket_matches: [
        {
          name: 'plain',
          match: { tlsMode: 'disabled' },
          transport_socket: {
            name: 'envoy.transport_sockets.raw_buffer',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
            },
          },
        },
      ],
    }),
    typed_extension_protocol_options: ofCluster(
      protocolOptions({ explicit_http_config: { http_protocol_options: {} } }),
    ),
    upstream_bind_config: ofCluster({
      upstream_bind_config: { source_address: { address: '127.0.0.1', port_value: 0 } },
    }),
    'upstream_connection_options.tcp_keepalive': ofCluster({
      upstream_connection_options: { tcp_keepalive: { keepalive_time: 5 } },
    }),
    dns_lookup_family: ofDns({ dns_lookup_family: 'V4_ONLY' }),
    dns_refresh_rate: ofDns({ dns_refresh_rate: '1s' }),
    dns_failure_refresh_rate: ofDns({ dns_failure_refresh_rate: { base_interval: '1s' } }),
    dns_jitter: ofDns({ dns_jitter: '1s' }),
    respect_dns_ttl: ofDns({ respect_dns_ttl: true }),
    wait_for_warm_on_init: ofDns({ wait_for_warm_on_init: false }),
    cleanup_interval: ofCluster({
      type: 'ORIGINAL_DST',
      lb_policy: 'CLUSTER_PROVIDED',
      load_assignment: undefined,
      cleanup_interval: '1s',
    }),
    close_connections_on_host_health_failure: ofCluster({ close_connections_on_host_health_failure: true }),
    cluster_type: ofCluster({
      type: undefined,
      load_assignment: undefined,
      lb_policy: 'CLUSTER_PROVIDED',
      cluster_type: { name: 'envoy.clusters.dynamic_forward_proxy' },
    }),
    original_dst_lb_config: ofCluster({
      type: 'ORIGINAL_DST',
      lb_policy: 'CLUSTER_PROVIDED',
      load_assignment: undefined,
      original_dst_lb_config: { use_http_header: true },
    }),
    least_request_lb_config: ofCluster({
      lb_policy: 'LEAST_REQUEST',
      least_request_lb_config: { choice_count: 3 },
    }),
    ring_hash_lb_config: ofCluster({
      lb_policy: 'RING_HASH',
      ring_hash_lb_config: { minimum_ring_size: 10 },
    }),
    maglev_lb_config: ofCluster({ lb_policy: 'MAGLEV', maglev_lb_config: { table_size: 103 } }),
    round_robin_lb_config: ofCluster({ round_robin_lb_config: {} }),
    metadata: ofCluster({ metadata }),
    alt_stat_name: ofCluster({ alt_stat_name: 'other' }),
    track_timeout_budgets: ofCluster({ track_timeout_budgets: true }),
    track_cluster_stats: ofCluster({ track_cluster_stats: {} }),
    per_connection_buffer_limit_bytes: ofCluster({ per_connection_buffer_limit_bytes: 32768 }),
    ignore_health_on_host_removal: ofCluster({ ignore_health_on_host_removal: true }),
    'common_lb_config.update_merge_window': ofCluster({ common_lb_config: { update_merge_window: '1s' } }),
    'type: EDS': ofCluster({
      type: 'EDS',
      load_assignment: undefined,
      eds_cluster_config: { eds_config: { ads: {} } },
    }),
    eds_cluster_config: ofCluster({ eds_cluster_config: { eds_config: { ads: {} } } }),
    'circuit_breakers.thresholds[].max_connection_pools': ofCluster({
      circuit_breakers: { thresholds: [{ max_connection_pools: 1 }] },
    }),
    http_protocol_options: ofCluster({ http_protocol_options: {} }),
    http2_protocol_options: ofCluster({ http2_protocol_options: {} }),
    common_http_protocol_options: ofCluster({ common_http_protocol_options: {} }),
    protocol_selection: ofCluster({ protocol_selection: 'USE_DOWNSTREAM_PROTOCOL' }),
  },
  manager: {
    codec_type: ofManager({ codec_type: 'HTTP1' }),
    stat_prefix: ofManager({ stat_prefix: 'other' }),
    route_config: ofManager({ route_config: routeConfig }),
    rds: ofManager({
      route_config: undefined,
      rds: { route_config_name: 'a', config_source: { ads: {} } },
    }),
    access_log: ofManager({ access_log: [fileLog] }),
    http_filters: ofManager({ http_filters: [router] }),
    server_name: ofManager({ server_name: 'mine' }),
    server_header_transformation: ofManager({ server_header_transformation: 'PASS_THROUGH' }),
    via: ofManager({ via: 'mesh' }),
    use_remote_address: ofManager({ use_remote_address: true }),
    xff_num_trusted_hops: ofManager({ xff_num_trusted_hops: 1 }),
    skip_xff_append: ofManager({ skip_xff_append: true }),
    append_x_forwarded_port: ofManager({ append_x_forwarded_port: true }),
    internal_address_config: ofManager({ internal_address_config: { cidr_ranges: range } }),
    generate_request_id: ofManager({ generate_request_id: false }),
    preserve_external_request_id: ofManager({ preserve_external_request_id: true }),
    always_set_request_id_in_response: ofManager({ always_set_request_id_in_response: true }),
    forward_client_cert_details: ofManager({ forward_client_cert_details: 'SANITIZE_SET' }),
    set_current_client_cert_details: ofManager({
      set_current_client_cert_details: { subject: true, cert: true, chain: true, dns: true, uri: true },
    }),
    normalize_path: ofManager({ normalize_path: true }),
    merge_slashes: ofManager({ merge_slashes: true }),
    path_with_escaped_slashes_action: ofManager({ path_with_escaped_slashes_action: 'REJECT_REQUEST' }),
    strip_matching_host_port: ofManager({ strip_matching_host_port: true }),
    strip_any_host_port: ofManager({ strip_any_host_port: true }),
    strip_trailing_host_dot: ofManager({ strip_trailing_host_dot: true }),
    max_request_headers_kb: ofManager({ max_request_headers_kb: 8 }),
    common_http_protocol_options: ofManager({ common_http_protocol_options: { idle_timeout: '1s' } }),
    http_protocol_options: ofManager({
      http_protocol_options: {
        accept_http_10: true,
        allow_chunked_length: true,
        allow_custom_methods: true,
        override_stream_error_on_invalid_http_message: true,
      },
    }),
    http2_protocol_options: ofManager({ http2_protocol_options: { max_concurrent_streams: 10 } }),
    stream_error_on_invalid_http_message: ofManager({ stream_error_on_invalid_http_message: true }),
    stream_idle_timeout: ofManager({ stream_idle_timeout: '1s' }),
    request_timeout: ofManager({ request_timeout: '1s' }),
    request_headers_timeout: ofManager({ request_headers_timeout: '1s' }),
    drain_timeout: ofManager({ drain_timeout: '1s' }),
    delayed_close_timeout: ofManager({ delayed_close_timeout: '1s' }),
    upgrade_configs: ofManager({ upgrade_configs: [{ upgrade_type: 'websocket' }] }),
    proxy_100_continue: ofManager({ proxy_100_continue: true }),
    local_reply_config: ofManager({ local_reply_config: { mappers: [] } }),
    proxy_status_config: ofManager({ proxy_status_config: {} }),
    original_ip_detection_extensions: ofManager({ original_ip_detection_extensions: [{ name: 'a' }] }),
    request_id_extension: ofManager({ request_id_extension: {} }),
    scoped_routes: ofManager({ route_config: undefined, scoped_routes: { name: 'a' } }),
    tracing: ofManager({ tracing: {} }),
  },
};
