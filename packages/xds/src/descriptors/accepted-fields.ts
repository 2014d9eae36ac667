/**
 * Fields that are accepted and change nothing about the traffic, by message: names, descriptions and statistics, and
 * settings of things that don't exist here. Everything else that we don't implement is refused by name.
 */
const acceptedFields: Readonly<Record<string, readonly string[]>> = {
  'envoy.config.bootstrap.v3.Admin': ['profile_path', 'ignore_global_conn_limit'],
  'envoy.config.bootstrap.v3.Bootstrap': [
    'default_regex_engine',
    'enable_dispatcher_stats',
    'grpc_async_client_manager_config',
    'inline_headers',
    'memory_allocator_manager',
    'node_context_params',
    'perf_tracing_file_path',
    'stats_config',
    'stats_flush_interval',
    'stats_flush_on_admin',
    'stats_server_version_override',
    'watchdog',
    'watchdogs',
  ],
  'envoy.config.cluster.v3.Cluster': [
    'alt_stat_name',
    'metadata',
    'track_timeout_budgets',
    'track_cluster_stats',
  ],
  'envoy.config.core.v3.Node': ['extensions', 'listening_addresses'],
  'envoy.config.endpoint.v3.Endpoint': ['health_check_config'],
  'envoy.config.endpoint.v3.LbEndpoint': ['metadata'],
  'envoy.config.endpoint.v3.LocalityLbEndpoints': ['metadata', 'proximity'],
  'envoy.config.listener.v3.FilterChain': ['metadata', 'name'],
  'envoy.config.listener.v3.Listener': [
    'bypass_overload_manager',
    'ignore_global_conn_limit',
    'metadata',
    'stat_prefix',
    'traffic_direction',
  ],
  'envoy.config.route.v3.Decorator': ['operation', 'propagate'],
  'envoy.config.route.v3.Route': ['decorator', 'metadata', 'name', 'stat_prefix'],
  'envoy.config.route.v3.RouteConfiguration': ['metadata'],
  'envoy.config.route.v3.RouteAction.RequestMirrorPolicy': ['trace_sampled'],
  'envoy.config.route.v3.VirtualHost': ['metadata', 'name', 'virtual_clusters'],
  'envoy.config.route.v3.WeightedCluster': ['runtime_key_prefix'],
  'envoy.extensions.filters.http.router.v3.Router': ['dynamic_stats', 'start_child_span'],
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager': ['stat_prefix'],
};

/** Whether the field may be set although it has no effect. */
export function isAcceptedWithoutEffect(message: string, field: string): boolean {
  return acceptedFields[message]?.includes(field) === true;
}

/** All of them, for the documentation. */
export function acceptedWithoutEffect(): Readonly<Record<string, readonly string[]>> {
  return acceptedFields;
}
