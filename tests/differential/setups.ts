// The configurations under which both proxies are compared, in Envoy's bootstrap format. One listener (`in`), one cluster
// (`be`); each setup says what it adds.

import {
  type Json,
  type Setup,
  downstreamTls,
  httpInspector,
  listenerFilter,
  router,
  tcpProxy,
  tlsInspector,
  type,
} from './setups/parts.ts';
import { accessLogSetups } from './setups/access-logs.ts';
import { authorizationSetups } from './setups/authorization.ts';
import { corsSetups } from './setups/cors.ts';
import { faultSetups } from './setups/faults.ts';
import { grpcSetups } from './setups/grpc.ts';
import { http2UpstreamSetups } from './setups/http2-upstreams.ts';
import { optionSetups } from './setups/options.ts';
import { retrySetups } from './setups/retries.ts';
import { routingSetups } from './setups/routing.ts';

/** Where things are on one side. */
export interface Ports {
  readonly port: number;
  readonly admin: number;
  readonly upstream: number;
}

/** An HTTP connection manager whose answers tell which chain served. */
const answering = (body: string): Json => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: body } } },
          ],
        },
      ],
    },
    http_filters: [router],
  },
});

const setups = {
  plain: {},
  http10: {
    manager: { http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'default.example' } },
  },
  trailers: {
    manager: { http_protocol_options: { enable_trailers: true } },
    upstreamHttp: { explicit_http_config: { http_protocol_options: { enable_trailers: true } } },
  },
  'proxy-100-continue': { manager: { proxy_100_continue: true } },
  'absolute-url-off': { manager: { http_protocol_options: { allow_absolute_url: false } } },
  normalised: { manager: { normalize_path: true, merge_slashes: true } },
  'slashes-rejected': { manager: { path_with_escaped_slashes_action: 'REJECT_REQUEST' } },
  'slashes-unescaped': {
    manager: { normalize_path: true, path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD' },
  },
  'slashes-redirected': {
    manager: { normalize_path: true, path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT' },
  },
  edge: { manager: { use_remote_address: true } },
  hops: { manager: { use_remote_address: true, xff_num_trusted_hops: 1 } },
  'hops-inside': { manager: { use_remote_address: false, xff_num_trusted_hops: 1 } },
  'no-xff': { manager: { use_remote_address: true, skip_xff_append: true } },
  'cert-forwarded-always': { manager: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' } },
  'cert-forwarded': { manager: { forward_client_cert_details: 'FORWARD_ONLY' } },
  'server-kept': { manager: { server_header_transformation: 'PASS_THROUGH' } },
  'server-appended': { manager: { server_header_transformation: 'APPEND_IF_ABSENT', server_name: 'mine' } },
  'server-named': { manager: { server_name: 'mine' } },
  via: { manager: { via: 'mesh' } },
  'no-request-id': { manager: { generate_request_id: false } },
  'request-id-in-response': { manager: { always_set_request_id_in_response: true } },
  'underscores-rejected': {
    manager: { common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } },
  },
  'underscores-dropped': {
    manager: { common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' } },
  },
  'trailers-underscores-rejected': {
    manager: {
      common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
      http_protocol_options: { enable_trailers: true },
    },
    upstreamHttp: { explicit_http_config: { http_protocol_options: { enable_trailers: true } } },
  },
  'trailers-underscores-dropped': {
    manager: {
      common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' },
      http_protocol_options: { enable_trailers: true },
    },
    upstreamHttp: { explicit_http_config: { http_protocol_options: { enable_trailers: true } } },
  },
  bodiless: {
    routes: [204, 304].map((status) => ({
      match: { path: `/${status}` },
      direct_response: { status, body: { inline_string: 'text' } },
    })),
  },
  'small-heads': {
    manager: { max_request_headers_kb: 1, common_http_protocol_options: { max_headers_count: 10 } },
  },
  'two-requests': { manager: { common_http_protocol_options: { max_requests_per_connection: 2 } } },
  upgrades: { manager: { upgrade_configs: [{ upgrade_type: 'websocket' }] } },
  connect: {
    manager: { upgrade_configs: [{ upgrade_type: 'CONNECT' }] },
    routes: [
      {
        match: { connect_matcher: {} },
        route: { cluster: 'be', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
      },
    ],
  },
  'port-stripped': { manager: { strip_matching_host_port: true } },
  'any-port-stripped': { manager: { strip_any_host_port: true } },
  'dot-stripped': { manager: { strip_trailing_host_dot: true } },
  'short-timeouts': {
    manager: { request_headers_timeout: '0.3s', request_timeout: '0.6s', stream_idle_timeout: '30s' },
    action: { timeout: '0.3s' },
  },
  'short-idle': {
    manager: { stream_idle_timeout: '0.3s', common_http_protocol_options: { idle_timeout: '0.4s' } },
    action: { timeout: '0s' },
  },
  routes: {
    routes: [
      { match: { path: '/exact' }, direct_response: { status: 200, body: { inline_string: 'exact' } } },
      {
        match: { path_separated_prefix: '/part' },
        direct_response: { status: 200, body: { inline_string: 'part' } },
      },
      {
        match: { safe_regex: { regex: '/number/[0-9]+' } },
        direct_response: { status: 200, body: { inline_string: 'regex' } },
      },
      {
        match: { prefix: '/case', case_sensitive: false },
        direct_response: { status: 200, body: { inline_string: 'case' } },
      },
      {
        match: { prefix: '/', headers: [{ name: 'x-pick', string_match: { exact: 'me' } }] },
        direct_response: { status: 200, body: { inline_string: 'header' } },
      },
      {
        match: { prefix: '/', query_parameters: [{ name: 'pick', string_match: { exact: 'me' } }] },
        direct_response: { status: 200, body: { inline_string: 'query' } },
      },
      { match: { prefix: '/moved' }, redirect: { path_redirect: '/here', response_code: 'FOUND' } },
      { match: { prefix: '/secure' }, redirect: { https_redirect: true } },
      { match: { prefix: '/old/' }, route: { cluster: 'be', prefix_rewrite: '/new/' } },
      {
        match: { prefix: '/rewrite' },
        route: {
          cluster: 'be',
          regex_rewrite: { pattern: { regex: '/rewrite/([a-z]+)' }, substitution: '/\\1/done' },
        },
      },
      { match: { prefix: '/host' }, route: { cluster: 'be', host_rewrite_literal: 'other.example' } },
      {
        match: { prefix: '/gone' },
        route: { cluster: 'nowhere', cluster_not_found_response_code: 'NOT_FOUND' },
      },
      { match: { prefix: '/nowhere' }, route: { cluster: 'nowhere' } },
      {
        match: { prefix: '/fields' },
        route: { cluster: 'be' },
        request_headers_to_add: [
          { header: { key: 'x-added', value: 'one' } },
          { header: { key: 'x-over', value: 'ours' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          { header: { key: 'x-absent', value: 'ours' }, append_action: 'ADD_IF_ABSENT' },
        ],
        request_headers_to_remove: ['x-gone'],
        response_headers_to_add: [{ header: { key: 'x-answer', value: 'yes' } }],
        response_headers_to_remove: ['x-secret'],
      },
    ],
  },
  hosts: { virtualHost: { domains: ['a.example', '*.wild.example', 'prefix.*'] } },
  down: { isUpstreamDown: true },
  breaker: {
    cluster: { circuit_breakers: { thresholds: [{ max_pending_requests: 0, max_requests: 0 }] } },
  },
  'one-request-per-connection': {
    upstreamHttp: {
      common_http_protocol_options: { max_requests_per_connection: 1 },
      explicit_http_config: { http_protocol_options: {} },
    },
  },
  tcp: { filter: tcpProxy() },
  'tcp-idle': { filter: tcpProxy('be', { idle_timeout: '0.3s' }) },
  'tcp-down': { filter: tcpProxy(), isUpstreamDown: true },
  'tcp-nowhere': { filter: tcpProxy('nowhere') },
  'proxy-protocol': {
    manager: { use_remote_address: true },
    listenerFilters: [listenerFilter('proxy_protocol', 'ProxyProtocol')],
  },
  'proxy-protocol-optional': {
    manager: { use_remote_address: true },
    listenerFilters: [
      listenerFilter('proxy_protocol', 'ProxyProtocol', { allow_requests_without_proxy_protocol: true }),
    ],
  },
  'proxy-protocol-out': {
    filter: tcpProxy(),
    cluster: {
      transport_socket: {
        name: 'envoy.transport_sockets.upstream_proxy_protocol',
        typed_config: {
          '@type': type('transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport'),
          config: { version: 'V2' },
          transport_socket: {
            name: 'envoy.transport_sockets.raw_buffer',
            typed_config: { '@type': type('transport_sockets.raw_buffer.v3.RawBuffer') },
          },
        },
      },
    },
    listenerFilters: [listenerFilter('proxy_protocol', 'ProxyProtocol')],
  },
  tls: { chain: { transport_socket: downstreamTls({ alpn_protocols: ['http/1.1'] }) } },
  'tls-mutual': {
    chain: {
      transport_socket: downstreamTls(
        { validation_context: { trusted_ca: { filename: 'cert.pem' } } },
        { require_client_certificate: true },
      ),
    },
  },
  'no-connections': {
    bootstrap: {
      layered_runtime: {
        layers: [
          { name: 'limits', static_layer: { 'envoy.resource_limits.listener.in.connection_limit': 0 } },
        ],
      },
    },
  },
  'few-connections': {
    bootstrap: {
      overload_manager: {
        resource_monitors: [
          {
            name: 'envoy.resource_monitors.global_downstream_max_connections',
            typed_config: {
              '@type': type('resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig'),
              max_active_downstream_connections: 1,
            },
          },
        ],
      },
    },
    filtersBefore: [
      {
        name: 'envoy.filters.network.connection_limit',
        typed_config: {
          '@type': type('filters.network.connection_limit.v3.ConnectionLimit'),
          stat_prefix: 'few',
          max_connections: 1,
        },
      },
    ],
  },
  sni: {
    listenerFilters: [tlsInspector],
    chains: [
      {
        filter_chain_match: { server_names: ['exact.example'] },
        transport_socket: downstreamTls(),
        filters: [answering('exact')],
      },
      {
        filter_chain_match: { server_names: ['*.example'] },
        transport_socket: downstreamTls(),
        filters: [answering('wildcard')],
      },
      {
        filter_chain_match: { application_protocols: ['special'] },
        transport_socket: downstreamTls({ alpn_protocols: ['special'] }),
        filters: [answering('alpn')],
      },
      {
        filter_chain_match: { transport_protocol: 'raw_buffer' },
        filters: [answering('plain')],
      },
    ],
    chain: { transport_socket: downstreamTls() },
  },
  detection: {
    listenerFilters: [tlsInspector, httpInspector],
    chains: [
      {
        filter_chain_match: { transport_protocol: 'tls' },
        transport_socket: downstreamTls(),
        filters: [answering('tls')],
      },
      {
        filter_chain_match: { application_protocols: ['http/1.1', 'http/1.0'] },
        filters: [answering('http')],
      },
    ],
    filter: tcpProxy(),
  },
  ...authorizationSetups,
  ...corsSetups,
  ...faultSetups,
  ...optionSetups,
  ...retrySetups,
  ...routingSetups,
  ...accessLogSetups,
  ...http2UpstreamSetups,
  ...grpcSetups,
} as const satisfies Readonly<Record<string, Setup>>;

export type SetupName = keyof typeof setups;

/** All names, in order. */
export const setupNames = Object.keys(setups) as readonly SetupName[];

/** The file that a setup's access logs write to, in the directory of the run. */
export function logFileOf({ port }: Pick<Ports, 'port'>): string {
  return `access-${port}.log`;
}

/** Of every entry these logs tell what their filters let through; the last line of an entry says that it is complete. */
function accessLogs(logs: NonNullable<Setup['logs']>, ports: Ports): Json[] {
  const format = '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n';
  const log = (label: string, more: Json): Json => ({
    name: 'envoy.access_loggers.file',
    ...more,
    typed_config: {
      '@type': type('access_loggers.file.v3.FileAccessLog'),
      path: logFileOf(ports),
      log_format: { text_format_source: { inline_string: `${label}: ${format}` } },
    },
  });
  return [...logs.map(({ label, filter }) => log(label, { filter })), log('all', {})];
}

/** What the upstream speaks where that isn't HTTP/1.1. */
export function upstreamProtocol(name: SetupName): Setup['upstreamSpeaks'] {
  const setup: Setup = setups[name];
  return setup.upstreamSpeaks;
}

/** Whether a setup has access logs. */
export function hasLogs(name: SetupName): boolean {
  const setup: Setup = setups[name];
  return setup.logs !== undefined;
}

/** Nothing ever listens there. */
const deadPort = 1;
const deadEndpoint = {
  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: deadPort } } },
};

/** A cluster of a setup: they differ by their names only. */
function clusterOf(cluster: string, setup: Setup, ports: Ports): Json {
  const { upstreamHttp } = setup;
  return {
    name: cluster,
    type: 'STATIC',
    connect_timeout: '2s',
    load_assignment: {
      cluster_name: cluster,
      endpoints: [
        {
          lb_endpoints: [
            {
              ...setup.lbEndpoint,
              endpoint: {
                ...setup.endpoint,
                address: {
                  socket_address: {
                    address: '127.0.0.1',
                    port_value: setup.isUpstreamDown === true ? deadPort : ports.upstream,
                  },
                },
              },
            },
            ...(setup.hasDeadEndpoint === true ? [deadEndpoint] : []),
          ],
        },
      ],
    },
    ...(upstreamHttp === undefined
      ? {}
      : {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              ...upstreamHttp,
            },
          },
        }),
    ...setup.cluster,
  };
}

/** The bootstrap file of a setup. */
export function bootstrapOf(name: SetupName, ports: Ports): Json {
  const setup: Setup = setups[name];
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    // Envoy waits that long before it closes; its default of a second makes most of the time of a run.
    delayed_close_timeout: '0.1s',
    route_config: {
      validate_clusters: false,
      ...setup.routeConfig,
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            ...(setup.routes ?? []),
            { match: { prefix: '/' }, route: { cluster: 'be', ...setup.action } },
          ],
          ...setup.virtualHost,
        },
      ],
    },
    http_filters: [...(setup.httpFilters ?? []), router],
    ...(setup.logs === undefined ? {} : { access_log: accessLogs(setup.logs, ports) }),
    ...setup.manager,
  };
  const filter = setup.filter ?? {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: manager,
  };
  return {
    ...setup.bootstrap,
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: ports.admin } } },
    static_resources: {
      listeners: [
        {
          name: 'in',
          stat_prefix: 'in',
          address: { socket_address: { address: '127.0.0.1', port_value: ports.port } },
          ...(setup.listenerFilters === undefined ? {} : { listener_filters: setup.listenerFilters }),
          filter_chains: [
            ...(setup.chains ?? []),
            { filters: [...(setup.networkFilters ?? []), filter], ...setup.chain },
          ],
          ...setup.listener,
        },
      ],
      clusters: ['be', ...(setup.clusters ?? [])].map((cluster) => clusterOf(cluster, setup, ports)),
    },
  };
}
