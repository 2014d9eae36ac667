import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem, type Random, systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { redirectLocation, rewritePath } from './path-rewrite.ts';
import type { RequestView } from './request-view.ts';
import { type TestRequest, testRequest } from './request-view-harness.ts';
import type { RouteTable } from './route-table.ts';

type ConfigInput = Parameters<typeof RouteConfiguration.fromPartial>[0];
type HostInput = NonNullable<ConfigInput['virtualHosts']>[number];
type RouteInput = NonNullable<HostInput['routes']>[number];
type MatchInput = NonNullable<RouteInput['match']>;

const prefix = (value: string): MatchInput => ({ pathSpecifier: { $case: 'prefix', value } });

function to(cluster: string, match: MatchInput = prefix('/')): RouteInput {
  return {
    match,
    action: { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value: cluster } } },
  };
}

function host(name: string, domains: string[], ...routes: RouteInput[]): HostInput {
  return { name, domains, routes };
}

function table(...virtualHosts: HostInput[]): RouteTable<string> {
  return compile({ name: 'test', virtualHosts });
}

function compile(config: ConfigInput): RouteTable<string> {
  const compiled = compileRouteTable(RouteConfiguration.fromPartial(config), (name) => name);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.error.map(formatProblem).join('\n'));
  return compiled.value;
}

function problems(config: ConfigInput): string[] {
  const compiled = compileRouteTable(RouteConfiguration.fromPartial(config), (name) => name);
  return compiled.ok ? [] : compiled.error.map(({ path, message }) => `${path}: ${message}`);
}

function routeProblems(route: RouteInput): string[] {
  return problems({ virtualHosts: [host('h', ['*'], route)] });
}

function request(
  path = '/',
  authority = 'x',
  headers: NonNullable<TestRequest['headers']> = {},
  method = 'GET',
): RequestView {
  return testRequest({ path, authority, method, headers });
}

/** Gives these numbers in turn. */
function numbers(...values: number[]): Random {
  let next = 0;
  return { uint32: () => values[next++ % values.length]!, float: () => 0 };
}

function clusterFor(routes: RouteTable<string>, view: RequestView): string | null {
  return routes.match(view, systemRandom)?.cluster ?? null;
}

test('chooses the virtual host: exact, longest suffix, longest prefix, then any', () => {
  const routes = table(
    host('any', ['*'], to('any')),
    host('suffix', ['*.example.com'], to('suffix')),
    host('longer suffix', ['*.a.example.com', '*-b.example.com'], to('longer-suffix')),
    host('prefix', ['www.*'], to('prefix')),
    host('longer prefix', ['www.shop.*'], to('longer-prefix')),
    host('exact', ['www.example.com', 'reviews:9080', '[::1]:80'], to('exact')),
  );
  const expected: Record<string, string> = {
    'www.example.com': 'exact',
    'WWW.Example.COM': 'exact',
    'reviews:9080': 'exact',
    '[::1]:80': 'exact',
    reviews: 'any',
    'b.example.com': 'suffix',
    'x.a.example.com': 'longer-suffix',
    // A wildcard stands for at least one character.
    '.example.com': 'any',
    'x-b.example.com': 'longer-suffix',
    '-b.example.com': 'suffix',
    'www.other.org': 'prefix',
    'www.shop.org': 'longer-prefix',
    'www.': 'any',
    // The port belongs to the value that is compared.
    'www.example.com:80': 'prefix',
    '': 'any',
  };
  for (const [authority, cluster] of Object.entries(expected)) {
    for (const attempt of ['first', 'cached']) {
      assert.equal(clusterFor(routes, request('/', authority)), cluster, `${authority} (${attempt})`);
    }
  }
});

test('without a virtual host for it a request matches nothing', () => {
  const routes = table(host('h', ['a'], to('c')));
  assert.equal(routes.match(request('/', 'b'), systemRandom), null);
  assert.equal(clusterFor(routes, request('/', 'a')), 'c');
});

test('compares hosts without their port where that is asked for', () => {
  const routes = compile({
    ignorePortInHostMatching: true,
    virtualHosts: [host('h', ['reviews', '[::1]'], to('c'))],
  });
  assert.equal(clusterFor(routes, request('/', 'reviews:9080')), 'c');
  assert.equal(clusterFor(routes, request('/', '[::1]:80')), 'c');
  assert.equal(clusterFor(routes, request('/', '[::1]')), 'c');
});

test('sends away who did not use TLS where the virtual host asks for it', () => {
  const routes = table(
    { ...host('all', ['all'], to('c')), requireTls: 2 },
    { ...host('outside', ['outside'], to('c')), requireTls: 1 },
  );
  const inside = { 'x-envoy-internal': 'true' };
  const locationOf = (authority: string, headers: Record<string, string>): string | null => {
    const view = request('/p?q', authority, headers);
    const { redirect, cluster } = routes.match(view, systemRandom)!;
    if (redirect === null) return cluster;
    return `${redirect.status} ${redirectLocation(redirect, 'http', authority, '/p?q')}`;
  };
  assert.equal(locationOf('all', {}), '301 https://all/p?q');
  assert.equal(locationOf('all', inside), '301 https://all/p?q');
  assert.equal(locationOf('all', { 'x-forwarded-proto': 'https' }), 'c');
  assert.equal(locationOf('outside', {}), '301 https://outside/p?q');
  assert.equal(locationOf('outside', inside), 'c');
});

test('refuses a domain that is there twice, whatever its case', () => {
  assert.deepEqual(
    problems({ virtualHosts: [host('a', ['x', '*'], to('c')), host('b', ['y', 'X', '*'], to('c'))] }),
    [
      'virtual_hosts[1].domains[1]: the domain X is in this route configuration already',
      'virtual_hosts[1].domains[2]: the domain * is in this route configuration already',
    ],
  );
});

test('host names beyond what the cache holds are found all the same', () => {
  const routes = table(host('h', ['*.example.com'], to('c')), host('any', ['*'], to('any')));
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) {
      assert.equal(clusterFor(routes, request('/', `h${i}.example.com`)), 'c');
      assert.equal(clusterFor(routes, request('/', `h${i}.example.org`)), 'any');
    }
  }
  assert.equal(clusterFor(routes, request('/', `${'x'.repeat(300)}.example.com`)), 'c');
});

test('the first route that matches wins', () => {
  const routes = table(host('h', ['*'], to('a', prefix('/a')), to('b', prefix('/a/b')), to('c')));
  assert.equal(clusterFor(routes, request('/a/b')), 'a');
  assert.equal(clusterFor(routes, request('/b')), 'c');
});

const path = (value: string): MatchInput => ({ pathSpecifier: { $case: 'path', value } });
const separated = (value: string): MatchInput => ({ pathSpecifier: { $case: 'pathSeparatedPrefix', value } });

const pathCases: readonly [string, MatchInput, string, boolean][] = [
  ['prefix', prefix('/api'), '/apis', true],
  ['prefix, query left out', prefix('/api?x'), '/api?x', false],
  ['prefix with case', prefix('/api'), '/API', false],
  ['prefix without case', { ...prefix('/aPi'), caseSensitive: false }, '/ApI/x', true],
  ['path', path('/api'), '/api', true],
  ['path with query', path('/api'), '/api?x=1', true],
  ['path with fragment', path('/api'), '/api#f', true],
  ['path, longer', path('/api'), '/api/', false],
  ['path without case', { ...path('/API'), caseSensitive: false }, '/api?Q', true],
  ['separated prefix, equal', separated('/api'), '/api', true],
  ['separated prefix, deeper', separated('/api'), '/api/v1', true],
  ['separated prefix, query', separated('/api'), '/api?x', true],
  ['separated prefix, other word', separated('/api'), '/apis', false],
  ['root does not take OPTIONS *', prefix('/'), '*', false],
];
for (const [name, match, target, isMatch] of pathCases) {
  test(`path: ${name} ${isMatch ? 'takes' : 'leaves'} ${target}`, () => {
    assert.equal(clusterFor(table(host('h', ['*'], to('c', match))), request(target)) === 'c', isMatch);
  });
}

type HeaderInput = NonNullable<MatchInput['headers']>[number];
const string = (
  name: string,
  kind: 'exact' | 'prefix' | 'suffix' | 'contains',
  value: string,
  ignoreCase = false,
): HeaderInput => ({
  name,
  headerMatchSpecifier: { $case: 'stringMatch', value: { matchPattern: { $case: kind, value }, ignoreCase } },
});
const present = (isPresent: boolean, invertMatch = false): HeaderInput => ({
  name: 'X-Test',
  invertMatch,
  headerMatchSpecifier: { $case: 'presentMatch', value: isPresent },
});
const range: HeaderInput = {
  name: 'x-test',
  headerMatchSpecifier: { $case: 'rangeMatch', value: { start: -10, end: 10 } },
};
const exact = string('X-Test', 'exact', 'jason');

const headerCases: readonly [string, HeaderInput, string | readonly string[] | null, boolean][] = [
  ['exact', exact, 'jason', true],
  ['exact, other', exact, 'jasons', false],
  ['exact, missing', exact, null, false],
  ['exact, other case', exact, 'Jason', false],
  ['exact without case', string('x-test', 'exact', 'JASON', true), 'jasoN', true],
  ['prefix', string('x-test', 'prefix', 'ja'), 'jason', true],
  ['suffix', string('x-test', 'suffix', 'on'), 'jason', true],
  ['contains', string('x-test', 'contains', 'aso'), 'jason', true],
  ['contains, not', string('x-test', 'contains', 'asx'), 'jason', false],
  ['a list on one line is one value', exact, 'jason,jason', false],
  ['a list on one line, as written', string('x-test', 'exact', 'a,b'), 'a,b', true],
  ['one of several lines', exact, ['other', 'jason'], true],
  ['none of several lines', exact, ['other', 'more'], false],
  ['several lines are not joined', string('x-test', 'exact', 'a,b'), ['a', 'b'], false],
  ['inverted, none of several lines', { ...exact, invertMatch: true }, ['other', 'more'], true],
  ['inverted, one of several lines', { ...exact, invertMatch: true }, ['other', 'jason'], false],
  ['range, one of several lines', range, ['99', '1'], true],
  ['inverted', { ...exact, invertMatch: true }, 'other', true],
  ['inverted, equal', { ...exact, invertMatch: true }, 'jason', false],
  ['inverted, missing', { ...exact, invertMatch: true }, null, false],
  [
    'inverted, missing counts as empty',
    { ...exact, invertMatch: true, treatMissingHeaderAsEmpty: true },
    null,
    true,
  ],
  [
    'empty, missing counts as empty',
    { ...string('x-test', 'exact', ''), treatMissingHeaderAsEmpty: true },
    null,
    true,
  ],
  ['present', present(true), 'x', true],
  ['present, empty', present(true), '', true],
  ['present, missing', present(true), null, false],
  ['present inverted', present(true, true), 'x', false],
  ['present inverted, missing', present(true, true), null, true],
  ['absent', present(false), 'x', false],
  ['absent, missing', present(false), null, true],
  ['absent inverted', present(false, true), 'x', true],
  ['absent inverted, missing', present(false, true), null, false],
  ['no test asks for presence', { name: 'x-test' }, 'x', true],
  ['no test, missing', { name: 'x-test' }, null, false],
  ['range', range, '-10', true],
  ['range, end excluded', range, '10', false],
  ['range, no number', range, '1x', false],
  ['range, empty', range, '', false],
];
for (const [name, matcher, value, isMatch] of headerCases) {
  test(`header: ${name} ${isMatch ? 'takes' : 'leaves'} ${String(value)}`, () => {
    const routes = table(host('h', ['*'], to('c', { ...prefix('/'), headers: [matcher] })));
    const headers = value === null ? {} : { 'x-test': value };
    assert.equal(clusterFor(routes, request('/', 'x', headers)) === 'c', isMatch);
  });
}

test('all headers and parameters of a route must match', () => {
  const match: MatchInput = {
    ...prefix('/'),
    headers: [string('a', 'exact', '1'), string('b', 'exact', '2')],
    queryParameters: [{ name: 'q', queryParameterMatchSpecifier: { $case: 'presentMatch', value: true } }],
  };
  const routes = table(host('h', ['*'], to('c', match)));
  assert.equal(clusterFor(routes, request('/?q', 'x', { a: '1', b: '2' })), 'c');
  assert.equal(clusterFor(routes, request('/', 'x', { a: '1', b: '2' })), null);
  assert.equal(clusterFor(routes, request('/?q', 'x', { a: '1' })), null);
});

test('method, path and authority can be matched as headers', () => {
  const match: MatchInput = {
    ...prefix('/'),
    headers: [
      string(':method', 'exact', 'POST'),
      string(':path', 'contains', 'q=1'),
      string(':authority', 'exact', 'shop'),
      string('Host', 'prefix', 'sh'),
    ],
  };
  const routes = table(host('h', ['*'], to('c', match)));
  assert.equal(clusterFor(routes, request('/?q=1', 'shop', {}, 'POST')), 'c');
  assert.equal(clusterFor(routes, request('/?q=1', 'shop', {}, 'GET')), null);
});

test('CONNECT has no path that could be matched as a header', () => {
  const connect = (headers: HeaderInput[]): RouteTable<string> =>
    table(host('h', ['*'], to('c', { pathSpecifier: { $case: 'connectMatcher', value: {} }, headers })));
  const tunnel = request('', 'shop:443', {}, 'CONNECT');
  assert.equal(clusterFor(connect([]), tunnel), 'c');
  assert.equal(clusterFor(connect([{ name: ':path' }]), tunnel), null);
});

const queryCases: readonly [string, string | null][] = [
  ['/?user=jason', 'jason'],
  ['/?a=1&user=jason&user=other', 'jason'],
  ['/?user', ''],
  ['/?user=', ''],
  ['/?username=jason', null],
  ['/?a=user', null],
  ['/', null],
  ['/?', null],
  ['/?x#user=jason', null],
  ['/?user=ja%73on', 'ja%73on'],
  ['/?&&user=a=b&', 'a=b'],
];
for (const [target, value] of queryCases) {
  test(`query: the parameter of ${target} is ${value ?? 'missing'}`, () => {
    const withValue = (wanted: string): MatchInput => ({
      ...prefix('/'),
      queryParameters: [
        {
          name: 'user',
          queryParameterMatchSpecifier: {
            $case: 'stringMatch',
            value: { matchPattern: { $case: 'exact', value: wanted } },
          },
        },
      ],
    });
    const routes = table(
      host(
        'h',
        ['*'],
        to('equal', withValue(value ?? 'never')),
        to('present', { ...prefix('/'), queryParameters: [{ name: 'user' }] }),
      ),
    );
    assert.equal(clusterFor(routes, request(target)), value === null ? null : 'equal');
  });
}

test('a route may be for gRPC calls only', () => {
  const routes = table(host('h', ['*'], to('grpc', { ...prefix('/a.B/'), grpc: {} }), to('other')));
  const cluster = (headers: Record<string, string[]>): string | undefined =>
    routes.match(request('/a.B/C', 'x', headers, 'POST'), systemRandom)?.clusterName;
  assert.equal(cluster({ 'content-type': ['application/grpc'] }), 'grpc');
  assert.equal(cluster({ 'content-type': ['application/grpc+proto'] }), 'grpc');
  assert.equal(cluster({ 'content-type': ['application/grpc-web'] }), 'other');
  assert.equal(cluster({}), 'other');
});

test('a fraction takes its share of requests and leaves the rest to later routes', () => {
  const match: MatchInput = {
    ...prefix('/'),
    runtimeFraction: { defaultValue: { numerator: 30, denominator: 0 } },
  };
  const routes = table(host('h', ['*'], to('some', match), to('rest')));
  const cluster = (value: number): string | null => routes.match(request(), numbers(value))?.cluster ?? null;
  assert.deepEqual(
    [cluster(0), cluster(29), cluster(30), cluster(99), cluster(129)],
    ['some', 'some', 'rest', 'rest', 'some'],
  );
});

function weighted(...clusters: [string, number][]): RouteInput {
  return {
    match: prefix('/'),
    action: {
      $case: 'route',
      value: {
        clusterSpecifier: {
          $case: 'weightedClusters',
          value: { clusters: clusters.map(([name, weight]) => ({ name, weight })) },
        },
      },
    },
  };
}

test('weighted clusters share a random number by their cumulative weights', () => {
  const routes = table(host('h', ['*'], weighted(['v1', 80], ['none', 0], ['v2', 20])));
  const cluster = (value: number): string | null => routes.match(request(), numbers(value))?.cluster ?? null;
  assert.deepEqual(
    [cluster(0), cluster(79), cluster(80), cluster(99), cluster(100)],
    ['v1', 'v1', 'v2', 'v2', 'v1'],
  );
});

test('weights hold over many requests', () => {
  const routes = table(host('h', ['*'], weighted(['v1', 80], ['v2', 20])));
  let second = 0;
  for (let i = 0; i < 20_000; i++) if (clusterFor(routes, request()) === 'v2') second++;
  assert.ok(Math.abs(second / 20_000 - 0.2) < 0.02, `${second} of 20000`);
});

test('gives the same object for the same outcome', () => {
  const routes = table(host('h', ['*'], to('c')));
  assert.equal(routes.match(request(), systemRandom), routes.match(request('/x'), systemRandom));
});

test('a route times out after 15 s unless it says otherwise', () => {
  const route = (timeout?: { seconds: number; nanos: number }): RouteInput => ({
    match: prefix('/'),
    action: {
      $case: 'route',
      value: { clusterSpecifier: { $case: 'cluster', value: 'c' }, ...(timeout && { timeout }) },
    },
  });
  const timeoutMs = (input: RouteInput): number | undefined =>
    table(host('h', ['*'], input)).match(request(), systemRandom)?.timeoutMs;
  assert.equal(timeoutMs(route()), 15_000);
  assert.equal(timeoutMs(route({ seconds: 0, nanos: 0 })), 0);
  assert.equal(timeoutMs(route({ seconds: 1, nanos: 500_000_000 })), 1500);
});

test('a direct response and a redirect are outcomes of their own', () => {
  const routes = table(
    host(
      'h',
      ['*'],
      {
        match: path('/teapot'),
        action: {
          $case: 'directResponse',
          value: { status: 418, body: { specifier: { $case: 'inlineString', value: 'short and stout' } } },
        },
      },
      {
        match: prefix('/old'),
        action: {
          $case: 'redirect',
          value: { pathRewriteSpecifier: { $case: 'prefixRewrite', value: '/new' }, responseCode: 3 },
        },
      },
    ),
  );
  const direct = routes.match(request('/teapot'), systemRandom);
  assert.equal(direct?.kind, 'direct-response');
  assert.equal(direct.directResponse?.status, 418);
  assert.equal(direct.directResponse.body.toString(), 'short and stout');
  const redirect = routes.match(request('/old/x?y'), systemRandom)?.redirect;
  assert.equal(redirect?.status, 307);
  assert.equal(redirectLocation(redirect, 'http', 'shop:8080', '/old/x?y'), 'http://shop:8080/new/x?y');
});

test('rewrites the matched prefix, or the whole path, and keeps the query', () => {
  const rewriting = (match: MatchInput): RouteInput => ({
    match,
    action: {
      $case: 'route',
      value: { clusterSpecifier: { $case: 'cluster', value: 'c' }, prefixRewrite: '/v2' },
    },
  });
  const routes = table(host('h', ['*'], rewriting(path('/exact')), rewriting(prefix('/api'))));
  const rewritten = (target: string): string =>
    rewritePath(routes.match(request(target), systemRandom)!.pathRewrite!, target);
  assert.equal(rewritten('/api/x?y=/api'), '/v2/x?y=/api');
  assert.equal(rewritten('/exact?y'), '/v2?y');
});

const refusals: readonly [string, RouteInput, string][] = [
  [
    'what is no regular expression',
    to('c', { pathSpecifier: { $case: 'safeRegex', value: { regex: '(a)\\1' } } }),
    'virtual_hosts[0].routes[0].match.safe_regex.regex: "(a)\\1" is no regular expression of RE2: a back reference, which RE2 lacks at character 4',
  ],
  [
    'an unknown pseudo-header',
    to('c', { ...prefix('/'), headers: [string(':protocol', 'exact', 'http')] }),
    'virtual_hosts[0].routes[0].match.headers[0].name: matching :protocol is not supported yet',
  ],
  ['a route without match', { action: to('c').action! }, 'virtual_hosts[0].routes[0].match: is required'],
  [
    'a match without path',
    to('c', {}),
    'virtual_hosts[0].routes[0].match: needs one of prefix, path, path_separated_prefix, connect_matcher',
  ],
  [
    'a route without action',
    { match: prefix('/') },
    'virtual_hosts[0].routes[0]: needs one of route, redirect, direct_response',
  ],
  ['a route without cluster', to(''), 'virtual_hosts[0].routes[0].route.cluster: must not be empty'],
  [
    'weights of nothing',
    weighted(['a', 0]),
    'virtual_hosts[0].routes[0].route.weighted_clusters: the weights add up to 0, which must be 1 to 4294967295',
  ],
  [
    'a separated prefix that ends with a slash',
    to('c', separated('/a/')),
    'virtual_hosts[0].routes[0].match.path_separated_prefix: must hold no ? or # and not end with a slash',
  ],
  [
    'an operator that does not exist in a header',
    { ...to('c'), requestHeadersToAdd: [{ header: { key: 'a', value: '%DYNAMIC_METADATA(a:b)%' } }] },
    'virtual_hosts[0].routes[0].request_headers_to_add[0].header.value: the format operator %DYNAMIC_METADATA% is not supported',
  ],
  [
    'a percent sign on its own',
    { ...to('c'), requestHeadersToAdd: [{ header: { key: 'a', value: '100%' } }] },
    'virtual_hosts[0].routes[0].request_headers_to_add[0].header.value: "%" is no format operator',
  ],
  [
    'a header value that ends its line',
    { ...to('c'), responseHeadersToAdd: [{ header: { key: 'a', value: 'x\r\nb: y' } }] },
    'virtual_hosts[0].routes[0].response_headers_to_add[0].header.value: holds characters that no header value may hold',
  ],
  [
    'a change of the framing',
    { ...to('c'), requestHeadersToRemove: ['Transfer-Encoding'] },
    'virtual_hosts[0].routes[0].request_headers_to_remove[0]: the header Transfer-Encoding must not be changed here',
  ],
  [
    'a status that is none',
    { match: prefix('/'), action: { $case: 'directResponse', value: { status: 99 } } },
    'virtual_hosts[0].routes[0].direct_response.status: 99 is not within 200 to 599',
  ],
  [
    'a body that is too long',
    {
      match: prefix('/'),
      action: {
        $case: 'directResponse',
        value: { status: 200, body: { specifier: { $case: 'inlineString', value: 'x'.repeat(4097) } } },
      },
    },
    'virtual_hosts[0].routes[0].direct_response.body: 4097 bytes are more than the 4096 allowed',
  ],
];
for (const [name, route, problem] of refusals) {
  test(`refuses ${name}`, () => assert.deepEqual(routeProblems(route), [problem]));
}

test('reports all problems at once', () => {
  const found = problems({
    internalOnlyHeaders: ['x'],
    validateClusters: true,
    virtualHosts: [{ ...host('', [], to('')), requireTls: 3 as never }],
  });
  assert.deepEqual(found, [
    'internal_only_headers: is not supported yet',
    'validate_clusters: is not supported yet',
    'virtual_hosts[0].name: must not be empty',
    'virtual_hosts[0].domains: must not be empty',
    'virtual_hosts[0].require_tls: is no known value',
    'virtual_hosts[0].routes[0].route.cluster: must not be empty',
  ]);
});

test('asks for clusters when a virtual host is first used, and knows their names before', () => {
  const asked: string[] = [];
  const config = RouteConfiguration.fromPartial({
    virtualHosts: [
      host('a', ['a'], to('of-a'), weighted(['of-b', 1], ['of-a', 1])),
      host('c', ['c'], to('of-c')),
    ],
  });
  const compiled = compileRouteTable(config, (name) => asked.push(name));
  assert.ok(compiled.ok);
  assert.deepEqual(asked, []);
  assert.deepEqual(
    compiled.value.virtualHosts.map((virtualHost) => virtualHost.clusterNames),
    [['of-a', 'of-b'], ['of-c']],
  );
  compiled.value.match(request('/', 'c'), systemRandom);
  compiled.value.match(request('/', 'c'), systemRandom);
  assert.deepEqual(asked, ['of-c']);
});
