import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandom } from '@heddle/base';
import type {
  RedirectAction,
  Route,
  RouteAction,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { rewrittenHost } from './host-rewrite.ts';
import { redirectLocation, rewritePath } from './path-rewrite.ts';
import { type TestRequest, testRequest } from './request-view-harness.ts';
import type { RouteMatch } from './route-match.ts';

type RouteInput = Parameters<typeof Route.fromPartial>[0];
type MatchInput = NonNullable<RouteInput['match']>;
type HeaderInput = NonNullable<MatchInput['headers']>[number];

const anyPath: MatchInput = { pathSpecifier: { $case: 'prefix', value: '/' } };
const safeRegex = (regex: string): MatchInput => ({
  pathSpecifier: { $case: 'safeRegex', value: { regex } },
});

/** The outcome of one route for one request, or what is wrong with the route. */
function match(route: RouteInput, request: TestRequest = {}): RouteMatch<string> | string | null {
  const config = RouteConfiguration.fromPartial({
    virtualHosts: [{ name: 'h', domains: ['*'], routes: [route] }],
  });
  const table = compileRouteTable(config, (name) => name);
  if (!table.ok) {
    return table.error
      .map(({ path, message }) => `${(path ?? '').replace('virtual_hosts[0].routes[0].', '')}: ${message}`)
      .join();
  }
  return table.value.match(testRequest({ authority: 'a', ...request }), systemRandom);
}

function forward(action: Partial<RouteAction>, matcher: MatchInput = anyPath): RouteInput {
  return {
    match: matcher,
    action: {
      $case: 'route',
      value: { clusterSpecifier: { $case: 'cluster', value: 'c' }, ...action },
    },
  };
}

/** As above, where it must be one. */
function outcome(route: RouteInput, request: TestRequest = {}): RouteMatch<string> {
  const found = match(route, request);
  if (found === null || typeof found === 'string') assert.fail(found ?? 'no route matches');
  return found;
}

describe('safe_regex', () => {
  test('must match the whole path, without its query', () => {
    const route = forward({}, safeRegex('/b[io]t'));
    assert.notEqual(match(route, { path: '/bit?x' }), null);
    assert.equal(match(route, { path: '/bits' }), null);
    assert.equal(match(route, { path: '/a/bit' }), null);
  });

  const header = (matcher: HeaderInput['headerMatchSpecifier']): RouteInput =>
    forward({}, { ...anyPath, headers: [{ name: 'x', headerMatchSpecifier: matcher! }] });

  test('matches whole headers, in both ways to write it', () => {
    const ways = [
      header({ $case: 'safeRegexMatch', value: { regex: 'a+' } }),
      header({
        $case: 'stringMatch',
        value: { matchPattern: { $case: 'safeRegex', value: { regex: 'a+' } }, ignoreCase: true },
      }),
    ];
    for (const route of ways) {
      assert.notEqual(match(route, { headers: { x: 'aa' } }), null);
      // For a regular expression case is its own affair, whatever ignore_case says.
      assert.equal(match(route, { headers: { x: 'AA' } }), null);
      assert.equal(match(route, { headers: { x: 'aab' } }), null);
      assert.equal(match(route), null);
    }
  });

  test('matches query parameters', () => {
    const route = forward(
      {},
      {
        ...anyPath,
        queryParameters: [
          {
            name: 'q',
            queryParameterMatchSpecifier: {
              $case: 'stringMatch',
              value: { matchPattern: { $case: 'safeRegex', value: { regex: '\\d+' } } },
            },
          },
        ],
      },
    );
    assert.notEqual(match(route, { path: '/?q=12' }), null);
    assert.equal(match(route, { path: '/?q=1a' }), null);
  });

  test('is refused with the place and the reason where RE2 would refuse it', () => {
    assert.equal(
      match(forward({}, safeRegex('(?=a)'))),
      'match.safe_regex.regex: "(?=a)" is no regular expression of RE2: a group of a kind that RE2 lacks at character 3',
    );
    assert.equal(match(forward({}, safeRegex(''))), 'match.safe_regex.regex: must not be empty');
  });
});

test('the scheme can be matched like a header', () => {
  const route = forward(
    {},
    {
      ...anyPath,
      headers: [
        {
          name: ':scheme',
          headerMatchSpecifier: {
            $case: 'stringMatch',
            value: { matchPattern: { $case: 'exact', value: 'https' } },
          },
        },
      ],
    },
  );
  assert.equal(match(route), null);
  assert.notEqual(match(route, { scheme: 'https' }), null);
});

// As Envoy 1.40 rewrites them.
const paths: readonly (readonly [string, string, string, string])[] = [
  ['^/rr/([^/]+)(/.*)$', '\\2/i/\\1', '/rr/a/b?c=/rr/', '/b/i/a?c=/rr/'],
  ['a', 'X', '/rall?a', '/rXll?a'],
  ['none', 'X', '/a', '/a'],
  // What is left is no path: Envoy sends it all the same.
  ['^/a/', '', '/a/b', '/b'],
];
for (const [regex, substitution, path, expected] of paths) {
  test(`regex_rewrite ${regex} → ${substitution}: ${path} becomes ${expected}`, () => {
    const route = forward({ regexRewrite: { pattern: { regex }, substitution } });
    assert.equal(rewritePath(outcome(route, { path }).pathRewrite!, path), expected);
  });
}

test('a prefix rewrite behind a regular expression replaces the whole path', () => {
  const route = forward({ prefixRewrite: '/v2' }, safeRegex('/api/.*'));
  assert.equal(rewritePath(outcome(route, { path: '/api/x?y' }).pathRewrite!, '/api/x?y'), '/v2?y');
});

test('a redirect rewrites by a pattern', () => {
  const value: Partial<RedirectAction> = {
    pathRewriteSpecifier: {
      $case: 'regexRewrite',
      value: { pattern: { regex: '^/old/(.*)$' }, substitution: '/new/\\1' },
    },
  };
  const found = outcome({ match: anyPath, action: { $case: 'redirect', value } }, { path: '/old/a?b' });
  assert.equal(redirectLocation(found.redirect!, 'http', 'h', '/old/a?b'), 'http://h/new/a?b');
});

const hosts: readonly (readonly [string, Partial<RouteAction>, TestRequest, string | null])[] = [
  ['literal', { hostRewriteSpecifier: { $case: 'hostRewriteLiteral', value: 'new.host' } }, {}, 'new.host'],
  [
    'of a header',
    { hostRewriteSpecifier: { $case: 'hostRewriteHeader', value: 'X-H' } },
    { headers: { 'x-h': 'other' } },
    'other',
  ],
  [
    'of the first of several headers',
    { hostRewriteSpecifier: { $case: 'hostRewriteHeader', value: 'x-h' } },
    { headers: { 'x-h': ['one', 'two'] } },
    'one',
  ],
  ['of a missing header', { hostRewriteSpecifier: { $case: 'hostRewriteHeader', value: 'x-h' } }, {}, null],
  [
    'of a header that is no host',
    { hostRewriteSpecifier: { $case: 'hostRewriteHeader', value: 'x-h' } },
    { headers: { 'x-h': 'a/b' } },
    null,
  ],
  [
    'of the path',
    {
      hostRewriteSpecifier: {
        $case: 'hostRewritePathRegex',
        value: { pattern: { regex: '^/hp/(.+)/x$' }, substitution: '\\1.example' },
      },
    },
    { path: '/hp/foo/x?y' },
    'foo.example',
  ],
  [
    // Envoy sends the path as host.
    'of a path that the pattern leaves',
    {
      hostRewriteSpecifier: {
        $case: 'hostRewritePathRegex',
        value: { pattern: { regex: '^/hp/(.+)/x$' }, substitution: '\\1.example' },
      },
    },
    { path: '/hp/foo' },
    null,
  ],
  [
    "by the endpoint's name",
    { hostRewriteSpecifier: { $case: 'autoHostRewrite', value: true } },
    {},
    'endpoint.example',
  ],
];
for (const [name, action, request, expected] of hosts) {
  test(`host rewrite ${name}`, () => {
    const rewrite = outcome(forward(action), request).hostRewrite!;
    assert.equal(
      rewrittenHost(rewrite, testRequest({ authority: 'a', ...request }), 'endpoint.example'),
      expected,
    );
  });
}

const refused: readonly (readonly [string, RouteInput, string])[] = [
  [
    'both rewrites',
    forward({ prefixRewrite: '/x', regexRewrite: { pattern: { regex: 'a' }, substitution: 'b' } }),
    'route.regex_rewrite: excludes prefix_rewrite',
  ],
  [
    'a rewrite without pattern',
    forward({ regexRewrite: { substitution: 'b' } }),
    'route.regex_rewrite.pattern: is required',
  ],
  [
    'a group that is not there',
    forward({ regexRewrite: { pattern: { regex: 'a' }, substitution: '\\1' } }),
    'route.regex_rewrite.substitution: the pattern has no group 1',
  ],
  [
    'a substitution that would end the request line',
    forward({ regexRewrite: { pattern: { regex: 'a' }, substitution: 'a b' } }),
    'route.regex_rewrite.substitution: holds characters that no path or host may hold',
  ],
  [
    'a host from what is no header',
    forward({ hostRewriteSpecifier: { $case: 'hostRewriteHeader', value: 'a b' } }),
    'route.host_rewrite_header: "a b" is no header name',
  ],
  [
    'a literal that is no host',
    forward({ hostRewriteSpecifier: { $case: 'hostRewriteLiteral', value: 'a,b' } }),
    'route.host_rewrite_literal: "a,b" is no host',
  ],
];
test('auto_host_rewrite: false rewrites nothing', () => {
  const route = forward({ hostRewriteSpecifier: { $case: 'autoHostRewrite', value: false } });
  assert.equal(outcome(route).hostRewrite, null);
});

for (const [name, route, problem] of refused) {
  test(`refuses ${name}`, () => assert.equal(match(route), problem));
}
