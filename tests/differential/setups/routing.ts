// Where requests go, and what becomes of the proxy's own answers.
import { type Json, type Setup, type } from './parts.ts';

const status = (op: string, value: number): Json => ({
  status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: 'none' } } },
});
const field = (key: string, value: string, more: Json = {}): Json => ({ header: { key, value }, ...more });

const answers: readonly Json[] = [
  {
    match: { prefix: '/direct' },
    direct_response: { status: 200, body: { inline_string: 'direct' } },
    response_headers_to_add: [field('x-route', 'route')],
  },
  {
    match: { prefix: '/typed' },
    direct_response: { status: 201, body: { inline_string: '<p>' } },
    response_headers_to_add: [
      field('content-type', 'text/html', { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }),
    ],
  },
  { match: { prefix: '/moved' }, redirect: { path_redirect: '/there' } },
  { match: { prefix: '/nowhere' }, route: { cluster: 'nowhere' } },
];

const redirectPredicate = (name: string, config: string, more: Json = {}): Json => ({
  name,
  typed_config: { '@type': type(`internal_redirect.${name}.v3.${config}`), ...more },
});

/** Two scopes, by the second part of their key. */
const scopes = (name: string, extractor: Json): Json => ({
  name: 'scopes',
  scope_key_builder: {
    fragments: [
      { header_value_extractor: { name: 'x-kind', index: 0 } },
      { header_value_extractor: { name, ...extractor } },
    ],
  },
  scoped_route_configurations_list: {
    scoped_route_configurations: ['one', 'two'].map((key) => ({
      name: key,
      key: { fragments: [{ string_key: 'kind' }, { string_key: key }] },
      route_configuration: {
        name: key,
        virtual_hosts: [
          {
            name: key,
            domains: ['*'],
            routes: [
              { match: { path: '/direct' }, direct_response: { status: 200, body: { inline_string: key } } },
              { match: { prefix: '/' }, route: { cluster: 'be', prefix_rewrite: `/${key}/` } },
            ],
          },
        ],
      },
    })),
  },
});

export const routingSetups = {
  'cluster-header': {
    clusters: ['other'],
    routes: [
      {
        match: { prefix: '/weighted' },
        route: { weighted_clusters: { clusters: [{ cluster_header: 'x-cluster', weight: 1 }] } },
      },
      { match: { prefix: '/authority' }, route: { cluster_header: ':authority' } },
      {
        match: { prefix: '/' },
        route: { cluster_header: 'x-cluster', cluster_not_found_response_code: 'NOT_FOUND' },
      },
    ],
  },
  scoped: {
    manager: {
      route_config: undefined,
      scoped_routes: scopes('x-scope', { element_separator: ';', element: { separator: '=', key: 'vip' } }),
    },
  },
  'scoped-by-place': {
    manager: {
      route_config: undefined,
      scoped_routes: scopes('x-scope', { element_separator: ',', index: 1 }),
    },
  },
  redirected: {
    routes: [
      {
        name: 'cross',
        match: { prefix: '/cross' },
        route: {
          cluster: 'be',
          internal_redirect_policy: {
            allow_cross_scheme_redirect: true,
            predicates: [redirectPredicate('safe_cross_scheme', 'SafeCrossSchemeConfig')],
          },
        },
      },
      {
        name: 'once',
        match: { prefix: '/once' },
        route: {
          cluster: 'be',
          internal_redirect_policy: {
            max_internal_redirects: 5,
            predicates: [redirectPredicate('previous_routes', 'PreviousRoutesConfig')],
          },
        },
      },
      {
        name: 'listed',
        match: { prefix: '/listed' },
        route: {
          cluster: 'be',
          internal_redirect_policy: {
            predicates: [
              redirectPredicate('allow_listed_routes', 'AllowListedRoutesConfig', {
                allowed_route_names: ['direct'],
              }),
            ],
          },
        },
      },
      {
        name: 'direct',
        match: { prefix: '/direct' },
        direct_response: { status: 200, body: { inline_string: 'direct' } },
      },
      {
        name: 'rewritten',
        match: { prefix: '/rewritten' },
        route: { cluster: 'be', prefix_rewrite: '/new' },
      },
    ],
    virtualHost: { domains: ['a', 'b', 'b:81'] },
    action: {
      internal_redirect_policy: {
        max_internal_redirects: 2,
        redirect_response_codes: [302, 303, 307],
        response_headers_to_copy: ['x-copied', 'x-absent'],
      },
    },
  },
  mirrored: {
    clusters: ['other'],
    routes: [
      {
        match: { prefix: '/never' },
        route: {
          cluster: 'be',
          request_mirror_policies: [
            { cluster: 'other', runtime_fraction: { default_value: { numerator: 0 } } },
            { cluster_header: 'x-cluster' },
          ],
        },
      },
    ],
    action: { prefix_rewrite: '/new/' },
    virtualHost: {
      include_request_attempt_count: true,
      request_headers_to_add: [field('x-route', 'host')],
      request_mirror_policies: [{ cluster: 'other' }],
    },
  },
  'replies-json': {
    routes: answers,
    manager: {
      local_reply_config: {
        body_format: {
          json_format: {
            body: '%LOCAL_REPLY_BODY%',
            code: '%RESPONSE_CODE%',
            mixed: 'by %PROTOCOL%',
            path: '%REQ(:path)%',
            what: '%REQ(x-none)%',
          },
        },
      },
    },
  },
  'replies-text': {
    routes: answers,
    manager: {
      local_reply_config: {
        body_format: {
          text_format_source: {
            inline_string: '<%LOCAL_REPLY_BODY%> %RESPONSE_FLAGS% %RESP(:status)% %RESP(x-route)%',
          },
          content_type: 'text/x',
        },
      },
    },
  },
  'replies-mapped': {
    routes: answers,
    manager: {
      local_reply_config: {
        mappers: [
          {
            filter: status('EQ', 200),
            status_code: 500,
            headers_to_add: [
              field('x-new', '%RESPONSE_CODE% %RESP(:status)% %REQ(:path)%'),
              field('x-route', 'mapper', { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }),
            ],
          },
          {
            filter: {
              and_filter: {
                filters: [
                  status('EQ', 503),
                  { header_filter: { header: { name: ':method', string_match: { exact: 'GET' } } } },
                ],
              },
            },
            body: { inline_string: 'not here' },
            body_format_override: {
              text_format_source: { inline_string: '%LOCAL_REPLY_BODY% %REQ(:path)%' },
            },
          },
          { filter: status('GE', 400), body: { inline_string: '' }, status_code: 410 },
        ],
      },
    },
  },
} as const satisfies Readonly<Record<string, Setup>>;
