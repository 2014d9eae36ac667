// Options of the HTTP connection manager, of routes and endpoints that most listeners leave alone.
import type { Setup } from './parts.ts';

export const optionSetups = {
  'errors-end-streams': {
    manager: {
      stream_error_on_invalid_http_message: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
    },
  },
  'errors-end-connections': {
    manager: {
      stream_error_on_invalid_http_message: true,
      http_protocol_options: { override_stream_error_on_invalid_http_message: false },
    },
  },
  'chunked-length': {
    manager: { http_protocol_options: { allow_chunked_length: true } },
    upstreamHttp: { explicit_http_config: { http_protocol_options: { allow_chunked_length: true } } },
  },
  'custom-methods': { manager: { http_protocol_options: { allow_custom_methods: true } } },
  'auto-host': {
    routes: [
      {
        match: { prefix: '/plain' },
        route: { cluster: 'be', host_rewrite_literal: 'same', append_x_forwarded_host: true },
      },
      { match: { prefix: '/header' }, route: { cluster: 'be', host_rewrite_header: 'x-host' } },
    ],
    action: { auto_host_rewrite: true, append_x_forwarded_host: true },
    endpoint: { hostname: 'real.example' },
  },
  'tls-required': {
    virtualHost: {
      require_tls: 'ALL',
      response_headers_to_add: [{ header: { key: 'x-answer', value: 'yes' } }],
    },
  },
  'tls-required-outside': {
    manager: { internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } },
    virtualHost: { require_tls: 'EXTERNAL_ONLY' },
  },
  formats: {
    virtualHost: {
      request_headers_to_add: [{ header: { key: 'x-outer', value: 'of %REQ(x-inner)%' } }],
      response_headers_to_add: [{ header: { key: 'x-outer', value: 'of %RESP(x-inner)%' } }],
    },
    routes: [
      {
        name: 'direct',
        match: { prefix: '/direct' },
        direct_response: { status: 200, body: { inline_string: 'hi' } },
        response_headers_to_add: [
          {
            header: {
              key: 'x-all',
              value: '%RESPONSE_CODE_DETAILS% %ROUTE_NAME% %REQ(:path)% %RESPONSE_CODE%',
            },
          },
        ],
      },
      {
        name: 'nowhere',
        match: { prefix: '/nowhere' },
        route: { cluster: 'nowhere' },
        response_headers_to_add: [
          { header: { key: 'x-all', value: '%RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% %RESPONSE_CODE%' } },
        ],
      },
      {
        name: 'through',
        match: { prefix: '/' },
        route: { cluster: 'be', prefix_rewrite: '/new/' },
        request_headers_to_add: [
          { header: { key: 'x-inner', value: '%REQ(x-a?x-b)%' } },
          { header: { key: 'x-line', value: '%REQ(:method)% %REQ(:path):6% %REQ(:authority)% %PROTOCOL%' } },
          { header: { key: 'x-names', value: '%ROUTE_NAME% %UPSTREAM_CLUSTER%' } },
          { header: { key: 'x-client', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } },
          { header: { key: 'x-host', value: '%HOSTNAME%|%UPSTREAM_HOST%|%RESPONSE_CODE%|%RESPONSE_FLAGS%' } },
          { header: { key: 'x-was', value: '%REQ(x-gone)%' } },
          { header: { key: 'x-id', value: '%REQ(x-expected)%' }, append_action: 'OVERWRITE_IF_EXISTS' },
          { header: { key: 'x-kept', value: '%REQ(x-no)%' }, keep_empty_value: true },
          { header: { key: 'x-left', value: '%REQ(x-right)%' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          { header: { key: 'x-right', value: '%REQ(x-left)%' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          { header: { key: 'x-percent', value: '100%%' } },
        ],
        request_headers_to_remove: ['x-gone'],
        response_headers_to_add: [
          { header: { key: 'x-inner', value: '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS%' } },
          { header: { key: 'x-request', value: '%REQ(:path)%|%REQ(x-inner)%|%REQ(x-gone)%' } },
          { header: { key: 'x-server', value: '%RESP(x-upstream)%|%RESP(x-secret)%' } },
          { header: { key: 'x-upstream-host', value: '%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } },
        ],
        response_headers_to_remove: ['x-secret'],
      },
    ],
  },
  degraded: { lbEndpoint: { health_status: 'DEGRADED' } },
  draining: { lbEndpoint: { health_status: 'DRAINING' } },
  'auto-host-unnamed': { action: { auto_host_rewrite: true } },
  parameters: {
    routeConfig: { ignore_path_parameters_in_path_matching: true },
    routes: [
      { match: { path: '/exact' }, route: { cluster: 'be', prefix_rewrite: '/new' } },
      { match: { path_separated_prefix: '/part' }, route: { cluster: 'be', prefix_rewrite: '/new' } },
      { match: { safe_regex: { regex: '/re[0-9]' } }, route: { cluster: 'be', prefix_rewrite: '/new' } },
      { match: { prefix: '/' }, direct_response: { status: 404 } },
    ],
  },
  'weighted-by-field': {
    routes: [
      {
        match: { prefix: '/' },
        route: {
          weighted_clusters: {
            header_name: 'x-pick',
            clusters: [
              { name: 'be', weight: 2 },
              { name: 'nowhere', weight: 3 },
            ],
          },
        },
      },
    ],
  },
} as const satisfies Readonly<Record<string, Setup>>;
