// Configurations with RBAC filters: who may do what.
import { type Json, type Setup, downstreamTls, tcpProxy, tlsInspector, type } from './parts.ts';

const any = { any: true };
const spiffe = (name: string): string => `spiffe://cluster.local/ns/default/sa/${name}`;

const rbac = (config: Json, name = 'envoy.filters.http.rbac', more: Json = {}): Json => ({
  name,
  typed_config: { '@type': type('filters.http.rbac.v3.RBAC'), ...config },
  ...more,
});
const policy = (permission: Json, principal: Json = any): Json => ({
  permissions: [permission],
  principals: [principal],
});
const deny = (policies: Json): Json => rbac({ rules: { action: 'DENY', policies } });
const allow = (policies: Json): Json => rbac({ rules: { policies } });
const header = (name: string, match: Json): Json => ({ header: { name, ...match } });
const path = (matcher: Json): Json => ({ url_path: { path: matcher } });
const named = (matcher: Json): Json => ({ authenticated: { principal_name: matcher } });
const range = (address_prefix: string, prefix_len: number): Json => ({ address_prefix, prefix_len });

const everything = policy(any);
const denyAll = { action: 'DENY', policies: { 'deny all': everything } };
const allowAll = { policies: { 'allow all': everything } };
/** Client certificates are checked where there are any. */
const mutual: Json = {
  transport_socket: downstreamTls({ validation_context: { trusted_ca: { filename: 'cert.pem' } } }),
};
const adminPaths = [
  deny({
    admin: policy(path({ prefix: '/admin' })),
    secret: policy(path({ exact: '/secret' })),
  }),
];
const perRoute = (config: Json, name = 'envoy.filters.http.rbac'): Json => ({
  typed_per_filter_config: { [name]: { '@type': type('filters.http.rbac.v3.RBACPerRoute'), ...config } },
});
const routeFilter = (config: Json): Json => ({
  typed_per_filter_config: {
    'envoy.filters.http.rbac': {
      '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig',
      ...config,
    },
  },
});
const answer = (at: string, more: Json = {}): Json => ({
  match: { path: at },
  direct_response: { status: 200, body: { inline_string: at } },
  ...more,
});

export const authorizationSetups = {
  'rbac-names': {
    chain: mutual,
    logs: [],
    manager: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' },
    httpFilters: [
      allow({
        'client gets': policy(
          header(':method', { string_match: { exact: 'GET' } }),
          named({ exact: spiffe('client') }),
        ),
        'others by name': policy(header(':method', { string_match: { exact: 'PUT' } }), {
          or_ids: {
            ids: [
              named({ safe_regex: { regex: 'spiffe://.+/ns/default/(.+/|)sa/client(/.+)?' } }),
              named({ exact: 'dns.example' }),
              named({ exact: 'CN=subject' }),
            ],
          },
        }),
        'anybody by TLS': policy(header(':method', { string_match: { exact: 'HEAD' } }), {
          authenticated: {},
        }),
        'who says nothing': policy(
          header(':method', { string_match: { exact: 'OPTIONS' } }),
          named({ exact: '' }),
        ),
      }),
    ],
  },
  'rbac-names-plain': {
    logs: [],
    manager: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' },
    httpFilters: [
      allow({
        p: policy(any, { or_ids: { ids: [named({ safe_regex: { regex: '.*' } }), { authenticated: {} }] } }),
      }),
    ],
  },
  'rbac-paths': { manager: { normalize_path: true, merge_slashes: true }, httpFilters: adminPaths },
  'rbac-paths-raw': { httpFilters: adminPaths },
  'rbac-paths-unescaped': {
    manager: {
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
    },
    httpFilters: adminPaths,
  },
  'rbac-rewritten': {
    httpFilters: adminPaths,
    routes: [{ match: { prefix: '/public' }, route: { cluster: 'be', prefix_rewrite: '/admin' } }],
  },
  'rbac-headers': {
    httpFilters: [
      deny({
        role: policy(header('x-role', { string_match: { exact: 'admin' } })),
        number: policy(header('x-number', { range_match: { start: 1, end: 5 } })),
        absent: policy(header('x-needed', { present_match: true, invert_match: true })),
        other: policy(header('x-kind', { string_match: { exact: 'a' }, invert_match: true })),
        certificate: policy(header('x-forwarded-client-cert', { present_match: true })),
      }),
    ],
  },
  'rbac-hosts': {
    httpFilters: [
      deny({
        internal: policy(
          header(':authority', { string_match: { exact: 'internal.example', ignore_case: true } }),
        ),
      }),
    ],
  },
  'rbac-methods': {
    httpFilters: [allow({ reading: policy(header(':method', { string_match: { exact: 'GET' } })) })],
  },
  'rbac-addresses': {
    httpFilters: [
      deny({
        inside: policy(path({ exact: '/remote' }), { remote_ip: range('10.0.0.0', 8) }),
        direct: policy(path({ exact: '/direct' }), { direct_remote_ip: range('10.0.0.0', 8) }),
        source: policy(path({ exact: '/source' }), { source_ip: range('127.0.0.0', 8) }),
        destination: policy({
          and_rules: { rules: [path({ exact: '/destination' }), { destination_ip: range('127.0.0.1', 32) }] },
        }),
        port: policy({
          and_rules: {
            rules: [path({ exact: '/port' }), { destination_port_range: { start: 1, end: 65_536 } }],
          },
        }),
      }),
    ],
  },
  'rbac-levels': {
    logs: [],
    virtualHost: perRoute({
      rbac: { rules: allowAll, rules_stat_prefix: 'host', track_per_rule_stats: true },
    }),
    httpFilters: [rbac({ rules: denyAll, rules_stat_prefix: 'own' })],
    routes: [
      answer('/host'),
      answer('/off', perRoute({})),
      answer('/empty', perRoute({ rbac: {} })),
      answer('/denied', perRoute({ rbac: { rules: denyAll, track_per_rule_stats: true } })),
      answer('/disabled', routeFilter({ disabled: true })),
      answer(
        '/wrapped',
        routeFilter({
          config: { '@type': type('filters.http.rbac.v3.RBACPerRoute'), rbac: { rules: denyAll } },
        }),
      ),
      answer('/stranger', perRoute({ rbac: { rules: denyAll } }, 'other')),
      {
        match: { path: '/cluster' },
        route: {
          weighted_clusters: {
            clusters: [{ name: 'be', weight: 1, ...perRoute({ rbac: { rules: denyAll } }) }],
          },
        },
      },
    ],
  },
  'rbac-off-by-itself': {
    httpFilters: [rbac({ rules: denyAll }, 'envoy.filters.http.rbac', { disabled: true })],
    routes: [answer('/on', perRoute({ rbac: { rules: denyAll } }))],
  },
  'rbac-two': {
    logs: [],
    httpFilters: [
      rbac({ rules: { action: 'DENY', policies: { first: policy(path({ prefix: '/first' })) } } }, 'one'),
      rbac(
        {
          rules: {
            policies: {
              second: policy(path({ prefix: '/second' })),
              first: policy(path({ prefix: '/first' })),
            },
          },
        },
        'two',
      ),
    ],
    routes: [{ ...answer('/second/off'), ...perRoute({ rbac: { rules: denyAll } }, 'two') }],
  },
  'rbac-shadow': {
    httpFilters: [
      rbac({
        rules: { action: 'LOG', policies: { 'log it': everything } },
        rules_stat_prefix: 'log_',
        shadow_rules: { action: 'DENY', policies: { 'dry run': policy(path({ prefix: '/admin' })) } },
        shadow_rules_stat_prefix: 'dry.',
        track_per_rule_stats: true,
      }),
    ],
  },
  'rbac-server-name': {
    chain: mutual,
    httpFilters: [allow({ named: policy({ requested_server_name: { exact: 'a.example' } }) })],
  },
  'rbac-server-name-inspected': {
    chain: mutual,
    listenerFilters: [tlsInspector],
    httpFilters: [allow({ named: policy({ requested_server_name: { exact: 'a.example' } }) })],
  },
  'rbac-connections': {
    chain: mutual,
    networkFilters: [
      {
        name: 'envoy.filters.network.rbac',
        typed_config: {
          '@type': type('filters.network.rbac.v3.RBAC'),
          stat_prefix: 'door',
          rules: { policies: { client: policy(any, named({ exact: spiffe('client') })) } },
          shadow_rules: denyAll,
          shadow_rules_stat_prefix: 'dry_',
        },
      },
    ],
    filter: tcpProxy(),
  },
  'rbac-nobody': { logs: [], httpFilters: [rbac({ rules: {} })] },
  'rbac-upgrades': {
    manager: { upgrade_configs: [{ upgrade_type: 'websocket' }, { upgrade_type: 'CONNECT' }] },
    httpFilters: [
      deny({
        'every path': policy({
          and_rules: {
            rules: [path({ safe_regex: { regex: '.*' } }), header('x-deny', { present_match: true })],
          },
        }),
      }),
    ],
    routes: [
      {
        match: { connect_matcher: {} },
        route: { cluster: 'be', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
      },
    ],
  },
} as const satisfies Readonly<Record<string, Setup>>;
