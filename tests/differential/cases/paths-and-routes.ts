import type { DifferentialCase } from '../support/case.ts';
import { passed, request } from '../support/expectations.ts';

const direct = {
  'http.in.downstream_rq_total': 1,
  'http.in.downstream_rq_2xx': 1,
  'http.in.rq_direct_response': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;
const redirected = {
  'http.in.downstream_rq_3xx': 1,
  'http.in.rq_direct_response': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;
const notFound = {
  'http.in.downstream_rq_4xx': 1,
  'http.in.no_route': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;
const answered = { 'http.in.downstream_rq_total': 1 } as const;

function normalised(name: string, path: string): DifferentialCase {
  return {
    name,
    rule: 'normalize_path',
    setup: 'normalised',
    client: request(`GET ${path}`),
    counters: answered,
  };
}

function routed(
  name: string,
  path: string,
  counters: DifferentialCase['counters'],
  fields = '',
): DifferentialCase {
  return {
    name,
    rule: 'route',
    setup: 'routes',
    client: request(`GET ${path}`, `Host: a\r\n${fields}`),
    counters,
  };
}

function atHost(host: string, counters: DifferentialCase['counters']): DifferentialCase {
  return {
    name: `Host ${host}`,
    rule: 'virtual host',
    setup: 'hosts',
    client: request('GET /', `Host: ${host}\r\n`),
    counters,
  };
}

/** Which path counts, and where it leads. */
export const pathAndRouteCases: readonly DifferentialCase[] = [
  {
    name: 'dot segments stay where nobody asks',
    rule: 'normalize_path',
    client: request('GET /a/../b'),
    counters: passed,
  },
  {
    name: 'slashes stay where nobody asks',
    rule: 'merge_slashes',
    client: request('GET //a///b'),
    counters: passed,
  },
  normalised('dot segments are resolved', '/a/./b/../c'),
  normalised('dot segments above the root', '/../../a'),
  normalised('encoded dots are resolved', '/a/%2e%2E/b'),
  normalised('unreserved characters are decoded', '/%61%62%7e'),
  normalised('reserved characters stay encoded', '/a%2fb%3fc'),
  normalised('a backslash becomes a slash', '/a\\..\\b'),
  normalised('slashes are merged', '//a///b//'),
  normalised('the query is left alone', '/a?b=/../c//d'),
  normalised('%00 is refused', '/a%00b'),
  normalised('a percent sign that encodes nothing', '/a%zz'),
  normalised('a percent sign at the end', '/a%2'),
  {
    name: 'an escaped slash is refused',
    rule: 'path_with_escaped_slashes_action',
    setup: 'slashes-rejected',
    client: request('GET /a%2Fb'),
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'an escaped backslash is refused',
    rule: 'path_with_escaped_slashes_action',
    setup: 'slashes-rejected',
    client: request('GET /a%5cb'),
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'an escaped slash in the query is no concern',
    rule: 'path_with_escaped_slashes_action',
    setup: 'slashes-rejected',
    client: request('GET /a?b=%2f'),
    counters: passed,
  },
  {
    name: 'an escaped slash is unescaped',
    rule: 'path_with_escaped_slashes_action',
    setup: 'slashes-unescaped',
    client: request('GET /a%2Fb/%2e%2e%5Cc'),
    counters: passed,
  },
  {
    name: 'an escaped slash is redirected',
    rule: 'path_with_escaped_slashes_action',
    setup: 'slashes-redirected',
    client: request('GET /a%2Fb?x=y'),
    counters: { 'http.in.downstream_rq_3xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a port that is the listener’s is stripped',
    rule: 'strip_matching_host_port',
    setup: 'port-stripped',
    client: request('GET /', 'Host: a:80\r\n'),
    counters: passed,
  },
  {
    name: 'any port is stripped',
    rule: 'strip_any_host_port',
    setup: 'any-port-stripped',
    client: request('GET /', 'Host: a:8080\r\n'),
    counters: passed,
  },
  {
    name: 'a dot at the end of the host is stripped',
    rule: 'strip_trailing_host_dot',
    setup: 'dot-stripped',
    client: request('GET /', 'Host: a.\r\n'),
    counters: passed,
  },
  {
    name: 'a dot before the port is stripped',
    rule: 'strip_trailing_host_dot',
    setup: 'dot-stripped',
    client: request('GET /', 'Host: a.:80\r\n'),
    counters: passed,
  },
  routed('a path', '/exact', direct),
  routed('a path with a query', '/exact?x', direct),
  routed('a path is not a prefix', '/exact/more', passed),
  routed('a prefix by segments', '/part/of', direct),
  routed('a prefix by segments is not one by characters', '/party', passed),
  routed('a regular expression', '/number/42', direct),
  routed('a regular expression matches the whole path', '/number/42/x', passed),
  routed('case does not matter where it is said', '/CaSe/x', direct),
  routed('a header', '/', direct, 'X-Pick: me\r\n'),
  routed('one of two headers of that name', '/', direct, 'X-Pick: you\r\nX-Pick: me\r\n'),
  routed('a list in a header is one value', '/', passed, 'X-Pick: you, me\r\n'),
  routed('a header that Connection nominates', '/', passed, 'X-Pick: me\r\nConnection: X-Pick\r\n'),
  routed('a query parameter', '/?pick=me', direct),
  routed('a redirect to a path', '/moved/x?y=z', redirected),
  routed('a redirect to https', '/secure/x?y=z', redirected),
  routed('a prefix is rewritten', '/old/x?y', passed),
  routed('a path is rewritten by regular expression', '/rewrite/abc/rest?y', passed),
  routed('a host is rewritten', '/host', passed),
  routed('a cluster that does not exist', '/nowhere', {
    'http.in.downstream_rq_5xx': 1,
    'http.in.no_cluster': 1,
  }),
  routed('a cluster that does not exist, answered as said', '/gone', {
    'http.in.downstream_rq_4xx': 1,
    'http.in.no_cluster': 1,
  }),
  routed(
    'fields are added and removed',
    '/fields',
    passed,
    'X-Gone: 1\r\nX-Over: theirs\r\nX-Absent: theirs\r\n',
  ),
  atHost('a.example', passed),
  atHost('A.Example', passed),
  atHost('a.example:8080', notFound),
  atHost('x.wild.example', passed),
  atHost('wild.example', notFound),
  atHost('prefix.anything', passed),
  atHost('other.example', notFound),
];
