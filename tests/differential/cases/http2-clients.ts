import type { DifferentialCase, StreamRequest } from '../support/case.ts';
import { passed, refused } from '../support/expectations.ts';

function one(
  name: string,
  request: StreamRequest,
  counters: DifferentialCase['counters'],
  setup: NonNullable<DifferentialCase['setup']> = 'plain',
): DifferentialCase {
  return { name: `HTTP/2 client: ${name}`, rule: 'HTTP/2', setup, client: { requests: [request] }, counters };
}

const get = { ':method': 'GET' };
const unheard = { 'cluster.be.upstream_rq_total': 0 };
const rejected = { ...unheard, 'http2.requests_rejected_with_underscores_in_headers': 1 };
const trailers = { body: 'hello', trailers: { a_b: '1', 'x-sum': '2' } };

/** What clients of HTTP/2 may say, to servers of HTTP/1. */
export const http2ClientCases: readonly DifferentialCase[] = [
  one('GET', { fields: get }, passed),
  one('a body without a length', { fields: {}, body: 'hello' }, passed),
  one('a body with a length', { fields: { 'content-length': '5' }, body: 'hello' }, passed),
  one('a method of its own', { fields: { ':method': 'MINE' } }, passed),
  one('a method that is no token', { fields: { ':method': 'M(' } }, unheard),
  one('a fragment in the path', { fields: { ...get, ':path': '/a#b' } }, refused),
  one('a path that does not begin with a slash', { fields: { ...get, ':path': 'a' } }, unheard),
  one('an empty path', { fields: { ...get, ':path': '' } }, unheard),
  one('a blank in the path', { fields: { ...get, ':path': '/a b' } }, unheard),
  one('bytes above 127 in the path', { fields: { ...get, ':path': '/\u00e4' } }, unheard),
  one('a name with an underscore', { fields: { ...get, a_b: '1' } }, passed, 'underscores-dropped'),
  one(
    'a name with an underscore is refused',
    { fields: { ...get, a_b: '1' } },
    rejected,
    'underscores-rejected',
  ),
  one('a trailer with an underscore', { fields: {}, ...trailers }, passed, 'trailers'),
  one(
    'a trailer with an underscore is dropped',
    { fields: {}, ...trailers },
    { ...passed, 'http2.dropped_headers_with_underscores': 1 },
    'trailers-underscores-dropped',
  ),
  one(
    'a trailer with an underscore is refused',
    { fields: {}, ...trailers },
    { 'http2.requests_rejected_with_underscores_in_headers': 1 },
    'trailers-underscores-rejected',
  ),
  one(
    'a direct response of 204 with a body',
    { fields: { ...get, ':path': '/204' } },
    { 'http.in.downstream_rq_2xx': 1 },
    'bodiless',
  ),
  one(
    'a direct response of 304 with a body',
    { fields: { ...get, ':path': '/304' } },
    { 'http.in.downstream_rq_3xx': 1 },
    'bodiless',
  ),
  {
    name: 'a direct response of 204 with a body',
    rule: 'responses',
    setup: 'bodiless',
    client: 'GET /204 HTTP/1.1\r\nHost: a\r\n\r\n',
    counters: { 'http.in.downstream_rq_2xx': 1 },
  },
  {
    name: 'a direct response of 304 with a body',
    rule: 'responses',
    setup: 'bodiless',
    client: 'GET /304 HTTP/1.1\r\nHost: a\r\n\r\n',
    counters: { 'http.in.downstream_rq_3xx': 1 },
  },
];
