import type { SetupName } from '../setups.ts';
import type { Answer, DifferentialCase } from '../support/case.ts';
import { answer, passed, request } from '../support/expectations.ts';
import { plainAnswer } from '../support/upstream.ts';

const toOther = {
  'http.in.downstream_rq_2xx': 1,
  'cluster.be.upstream_rq_total': 0,
  'cluster.other.upstream_rq_total': 1,
} as const;

function named(
  name: string,
  path: string,
  fields: string,
  counters: DifferentialCase['counters'],
): DifferentialCase {
  return {
    name,
    rule: 'cluster_header',
    setup: 'cluster-header',
    client: request(`GET ${path}`, fields),
    counters,
  };
}

function replied(
  setup: SetupName,
  path: string,
  counters: DifferentialCase['counters'],
  client = request(`GET ${path}`),
  what = path,
): DifferentialCase {
  return {
    name: `an answer of its own, ${setup}: ${what}`,
    rule: 'local_reply_config',
    setup,
    client,
    counters,
  };
}

/** A response that redirects. */
const to = (location: string, status = '302 Found', body = 'no'): Answer => ({
  text: answer(status, `location: ${location}\r\nx-copied: yes\r\ncontent-length: ${body.length}\r\n`, body),
});
const answering302: Answer = { text: answer('302 Found', 'content-length: 0\r\n') };
const post = (path: string, fields: string, body: string): string =>
  request(`POST ${path}`, `Host: a\r\nx-absent: 1\r\n${fields}`, body);
const followed = {
  'http.in.downstream_rq_total': 2,
  'http.in.downstream_rq_completed': 1,
  'http.in.downstream_rq_2xx': 1,
  'http.in.rq_total': 2,
  'cluster.be.upstream_rq_total': 2,
  'cluster.be.upstream_rq_2xx': 1,
  'cluster.be.upstream_rq_3xx': 0,
  'cluster.be.upstream_internal_redirect_succeeded_total': 1,
  'cluster.be.upstream_internal_redirect_failed_total': 0,
} as const;
const passedOn = (why?: string): DifferentialCase['counters'] => ({
  'http.in.downstream_rq_total': 1,
  'http.in.downstream_rq_3xx': 1,
  'cluster.be.upstream_internal_redirect_failed_total': 1,
  ...(why === undefined ? {} : { [`http.in.passthrough_internal_redirect_${why}`]: 1 }),
});

function redirected(
  name: string,
  redirects: readonly Answer[],
  counters: DifferentialCase['counters'],
  client = request('GET /', 'Host: a\r\nx-absent: 1\r\n'),
): DifferentialCase {
  return {
    name: `a redirect ${name}`,
    rule: 'internal_redirect_policy',
    setup: 'redirected',
    client,
    upstream: [...redirects, plainAnswer],
    counters,
  };
}

const nowhere = { 'http.in.no_route': 1, 'http.in.downstream_rq_4xx': 1 } as const;

function scoped(
  name: string,
  setup: SetupName,
  fields: string,
  counters: DifferentialCase['counters'],
): DifferentialCase {
  const client = request('GET /', `Host: a\r\nx-kind: kind\r\n${fields}`);
  return { name: `routes of a scope, chosen ${name}`, rule: 'scoped_routes', setup, client, counters };
}

/** The upstream of the copy is the same one: it has got two requests when both have been counted. */
const mirroredOnce = {
  ...passed,
  'cluster.other.upstream_rq_total': 1,
  'cluster.other.upstream_rq_2xx': 1,
} as const;

function mirrored(
  name: string,
  path: string,
  counters: DifferentialCase['counters'],
  fields: string,
  body = '',
): DifferentialCase {
  const client = request(`POST ${path}`, fields, body);
  return { name, rule: 'request_mirror_policies', setup: 'mirrored', client, counters };
}

const grpc = 'Host: a\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n';

/** Where requests go, and what becomes of the proxy's own answers. */
export const routingCases: readonly DifferentialCase[] = [
  named('a request names its cluster', '/', 'Host: a\r\nx-cluster: other\r\n', toOther),
  named('a request names one of weighted clusters', '/weighted', 'Host: a\r\nx-cluster: other\r\n', toOther),
  named('a request names its cluster as its authority', '/authority', 'Host: other\r\n', toOther),
  named('a request names no cluster', '/', 'Host: a\r\n', {
    'http.in.no_cluster': 1,
    'http.in.downstream_rq_4xx': 1,
  }),
  named('a request names a cluster that does not exist', '/', 'Host: a\r\nx-cluster: nope\r\n', {
    'http.in.no_cluster': 1,
    'http.in.downstream_rq_4xx': 1,
  }),
  scoped('by a key', 'scoped', 'x-scope: a=b;vip=two;vip=one\r\n', passed),
  scoped('by a key without a value', 'scoped', 'x-scope: vip\r\n', nowhere),
  scoped('by a key that is not there', 'scoped', 'x-scope: a=b\r\n', nowhere),
  scoped('by nothing', 'scoped', '', nowhere),
  scoped('by a value of no scope', 'scoped', 'x-scope: vip=three\r\n', nowhere),
  scoped('by its place', 'scoped-by-place', 'x-scope: two,one,two\r\n', passed),
  scoped('by a place that is not there', 'scoped-by-place', 'x-scope: two\r\n', nowhere),
  {
    name: 'a scope answers itself',
    rule: 'scoped_routes',
    setup: 'scoped',
    client: request('GET /direct', 'Host: a\r\nx-kind: kind\r\nx-scope: vip=one\r\n'),
    counters: { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  redirected('to a URL', [to('http://b/next?c=d')], followed),
  redirected('to a URL with a port and a rewritten path', [to('http://b:81/rewritten/x')], followed),
  redirected('to a URL without a path', [to('http://b')], followed),
  redirected('without a body of its own', [to('http://b/x', '302 Found', '')], followed),
  redirected('after a body', [to('http://b/next')], followed, post('/', 'Content-Length: 3\r\n', 'abc')),
  redirected(
    'after a body in chunks',
    [to('http://b/next', '307 Temporary Redirect')],
    followed,
    post('/', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
  ),
  redirected(
    'by 303 after a body',
    [to('http://b/next', '303 See Other')],
    followed,
    post('/', 'Content-Length: 3\r\n', 'abc'),
  ),
  redirected('twice', [to('http://b/one'), to('http://a/two')], {
    ...followed,
    'http.in.downstream_rq_total': 3,
    'http.in.rq_total': 3,
    'cluster.be.upstream_rq_total': 3,
    'cluster.be.upstream_internal_redirect_succeeded_total': 2,
  }),
  redirected('too often', [to('http://b/1'), to('http://b/2'), to('http://b/3')], {
    'cluster.be.upstream_internal_redirect_succeeded_total': 2,
    'cluster.be.upstream_internal_redirect_failed_total': 1,
    'http.in.passthrough_internal_redirect_too_many_redirects': 1,
    'http.in.downstream_rq_3xx': 1,
  }),
  redirected('to an answer of the proxy', [to('http://b/direct')], {
    'http.in.downstream_rq_total': 2,
    'cluster.be.upstream_rq_total': 1,
    'http.in.downstream_rq_2xx': 1,
  }),
  redirected('to a path', [to('/next')], passedOn('bad_location')),
  redirected('to another scheme', [to('https://b/next')], passedOn('unsafe_scheme')),
  redirected('to a host without a route', [to('http://c/next')], passedOn('no_route')),
  redirected('without a location', [answering302], { ...passedOn(), 'cluster.be.upstream_rq_302': 1 }),
  redirected('by another status', [to('http://b/next', '301 Moved Permanently')], {
    'cluster.be.upstream_internal_redirect_failed_total': 0,
    'http.in.downstream_rq_3xx': 1,
  }),
  redirected(
    'to https, which is not safe',
    [to('https://b/next')],
    passedOn('predicate'),
    request('GET /cross'),
  ),
  redirected(
    'to the same route twice',
    [to('http://b/once'), to('http://b/once')],
    {
      'cluster.be.upstream_internal_redirect_succeeded_total': 1,
      'http.in.passthrough_internal_redirect_predicate': 1,
    },
    request('GET /once'),
  ),
  redirected(
    'to a route that is not listed',
    [to('http://b/next')],
    passedOn('predicate'),
    request('GET /listed'),
  ),
  redirected(
    'to a route that is listed',
    [to('http://b/direct')],
    { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_total': 1 },
    request('GET /listed'),
  ),
  mirrored(
    'a copy of a request',
    '/a?b',
    mirroredOnce,
    'Host: a:80\r\nx-forwarded-for: 192.0.2.1\r\nContent-Length: 0\r\n',
  ),
  mirrored('a copy of a request with a body', '/a', mirroredOnce, 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
  mirrored(
    'a copy of a request in chunks',
    '/a',
    mirroredOnce,
    'Host: a\r\nTransfer-Encoding: chunked\r\n',
    '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
  ),
  mirrored(
    'a request of which no copy is made',
    '/never',
    passed,
    'Host: a\r\nx-cluster: nope\r\nContent-Length: 0\r\n',
  ),
  ...(['replies-json', 'replies-text'] as const).flatMap((setup) => [
    replied(setup, '/direct', { 'http.in.downstream_rq_2xx': 1 }),
    replied(setup, '/typed', { 'http.in.downstream_rq_2xx': 1 }),
    replied(setup, '/moved', { 'http.in.downstream_rq_3xx': 1 }),
    replied(setup, '/direct', { 'http.in.downstream_rq_2xx': 1 }, request('HEAD /direct'), 'HEAD'),
    replied(setup, '/direct', { 'http.in.downstream_rq_2xx': 1 }, request('POST /direct', grpc), 'gRPC'),
    replied(setup, '/', passed),
  ]),
  replied('replies-mapped', '/direct', { 'http.in.downstream_rq_2xx': 0, 'http.in.downstream_rq_5xx': 1 }),
  replied('replies-mapped', '/typed', { 'http.in.downstream_rq_2xx': 1 }),
  replied('replies-mapped', '/nowhere', { 'http.in.downstream_rq_5xx': 1 }),
  replied(
    'replies-mapped',
    '/nowhere',
    { 'http.in.downstream_rq_4xx': 1 },
    request('PUT /nowhere', 'Host: a\r\nContent-Length: 0\r\n'),
    'PUT',
  ),
  replied(
    'replies-mapped',
    '/nowhere',
    { 'http.in.downstream_rq_2xx': 1 },
    request('POST /nowhere', grpc),
    'gRPC',
  ),
];
