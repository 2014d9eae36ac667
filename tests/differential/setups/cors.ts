// Configurations with the CORS filter: which pages of other origins may read what.
import { type Json, type Setup, type } from './parts.ts';

const filter = (name: string, config: string): Json => ({
  name: `envoy.filters.http.${name}`,
  typed_config: { '@type': type(`filters.http.${name}.v3.${config}`) },
});
const cors = filter('cors', 'Cors');
const policy = (config: Json): Json => ({
  typed_per_filter_config: {
    'envoy.filters.http.cors': { '@type': type('filters.http.cors.v3.CorsPolicy'), ...config },
  },
});
const exactly = (origin: string): Json => ({ allow_origin_string_match: [{ exact: origin }] });
const share = (numerator: number): Json => ({ default_value: { numerator } });
const at = (path: string, config: Json, action: Json = { route: { cluster: 'be' } }): Json => ({
  match: { path },
  ...action,
  ...policy(config),
});

export const corsSetups = {
  cors: {
    manager: {
      local_reply_config: { body_format: { text_format_source: { inline_string: 'changed' } } },
    },
    httpFilters: [cors],
    routeConfig: {
      ...policy({ max_age: '99', expose_headers: 'x-outer', filter_enabled: share(0) }),
      response_headers_to_add: [{ header: { key: 'x-added', value: 'always' } }],
    },
    virtualHost: policy({
      allow_methods: 'GET,POST',
      allow_credentials: true,
      ...exactly('http://host'),
    }),
    routes: [
      at('/route', { allow_headers: 'x-a', ...exactly('http://route') }),
      at('/patterns', {
        allow_origin_string_match: [
          { prefix: 'https://' },
          { suffix: '.example', ignore_case: true },
          { safe_regex: { regex: 'http://[a-z]+:[0-9]+' } },
        ],
        allow_credentials: false,
      }),
      at('/all', { expose_headers: 'x-inner', allow_private_network_access: true, ...exactly('*') }),
      at('/answered', { forward_not_matching_preflights: false }),
      at('/counted', { filter_enabled: share(0), shadow_enabled: share(100) }),
      at('/off', { filter_enabled: share(0) }),
      at('/direct', exactly('*'), { direct_response: { status: 200, body: { inline_string: 'direct' } } }),
      at('/nowhere', exactly('*'), { route: { cluster: 'nowhere' } }),
      {
        match: { path: '/disabled' },
        route: { cluster: 'be' },
        typed_per_filter_config: {
          'envoy.filters.http.cors': {
            '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig',
            disabled: true,
          },
        },
      },
      {
        ...at('/upgraded', exactly('*')),
        route: { cluster: 'be', upgrade_configs: [{ upgrade_type: 'websocket' }] },
      },
    ],
  },
  'grpc-web-cors': {
    upstreamSpeaks: 'http2',
    upstreamHttp: { explicit_http_config: { http2_protocol_options: {} } },
    httpFilters: [filter('grpc_web', 'GrpcWeb'), cors],
    virtualHost: policy({ ...exactly('http://host'), expose_headers: 'grpc-status,grpc-message' }),
  },
} as const satisfies Readonly<Record<string, Setup>>;
