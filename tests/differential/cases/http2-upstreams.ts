import { constants } from 'node:http2';
import type { DifferentialCase, StreamAnswer } from '../support/case.ts';
import { passed, request } from '../support/expectations.ts';

const get = request('GET /');
const upstreamFields = { ':status': '200', 'x-upstream': 'yes' };
const ok: StreamAnswer = { fields: upstreamFields, body: 'hello' };

/** A case of the plain setup. */
function one(
  name: string,
  client: DifferentialCase['client'],
  streams: readonly StreamAnswer[],
  counters: DifferentialCase['counters'],
  setup: NonNullable<DifferentialCase['setup']> = 'http2-upstream',
): DifferentialCase {
  return { name: `HTTP/2 upstream: ${name}`, rule: 'HTTP/2', setup, client, streams, counters };
}

const made = { ...passed, 'cluster.be.upstream_cx_http2_total': 1, 'cluster.be.upstream_cx_http1_total': 0 };
const failed = { 'http.in.downstream_rq_5xx': 1, 'cluster.be.upstream_rq_total': 1 } as const;
const websocket =
  'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
/** Upgraded by a server that answers as one of HTTP/1.1 would. */
const granted = { ':status': '200', 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' };

/** What servers of HTTP/2 are sent and what becomes of their answers, for clients of HTTP/1.1. */
export const http2UpstreamCases: readonly DifferentialCase[] = [
  one(
    'a request and its answer',
    get,
    [{ fields: { ...upstreamFields, 'content-length': '5' }, body: 'hello' }],
    made,
  ),
  one('a body without a length comes in chunks', get, [ok], made),
  one('an answer without a body has a length of 0', get, [{ fields: upstreamFields }], made),
  one('204', get, [{ fields: { ':status': '204' } }], made),
  one('204 with a length', get, [{ fields: { ':status': '204', 'content-length': '3' } }], failed),
  one('204 with a length of 0', get, [{ fields: { ':status': '204', 'content-length': '0' } }], made),
  one('304 with a length', get, [{ fields: { ':status': '304', 'content-length': '5' } }], {
    'http.in.downstream_rq_3xx': 1,
  }),
  one('HEAD', request('HEAD /'), [{ fields: { ...upstreamFields, 'content-length': '5' } }], made),
  one(
    'fields that concern one connection do not go on',
    request(
      'GET /',
      'Host: a\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nX-Kept: 1\r\n',
    ),
    [ok],
    passed,
  ),
  one('cookies stay one field', request('GET /', 'Host: a\r\nCookie: a=1; b=2\r\n'), [ok], passed),
  one('a body with a length', request('POST /', 'Host: a\r\nContent-Length: 5\r\n', 'hello'), [ok], passed),
  one(
    'a chunked body',
    request('POST /', 'Host: a\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    [ok],
    passed,
  ),
  one('a length of 0', request('POST /', 'Host: a\r\nContent-Length: 0\r\n'), [ok], passed),
  one('several Set-Cookie', get, [{ fields: { ...upstreamFields, 'set-cookie': 'a=1' }, body: '' }], passed),
  one(
    'trailers both ways',
    request('POST /', 'Host: a\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n'),
    [{ ...ok, trailers: { 'x-answer': '2' } }],
    passed,
    'http2-upstream-trailers',
  ),
  one('trailers of a response are dropped by default', get, [{ ...ok, trailers: { 'x-sum': '1' } }], passed),
  one('an interim response', get, [{ ...ok, interim: 103 }], passed, 'http2-upstream-trailers'),
  one('RST_STREAM before the response', get, [{ reset: constants.NGHTTP2_INTERNAL_ERROR }], {
    ...failed,
    'cluster.be.upstream_rq_rx_reset': 1,
    'cluster.be.upstream_rq_tx_reset': 0,
    'cluster.be.http2.rx_reset': 1,
    'cluster.be.upstream_cx_destroy': 0,
  }),
  one('RST_STREAM with NO_ERROR before the response', get, [{ reset: constants.NGHTTP2_NO_ERROR }], failed),
  one(
    'RST_STREAM in the middle of the response',
    [{ send: get }, { closed: true }],
    [{ ...ok, reset: constants.NGHTTP2_INTERNAL_ERROR }],
    { 'cluster.be.upstream_rq_rx_reset': 1, 'http.in.downstream_rq_tx_reset': 1 },
  ),
  one('a stream that is refused every time', get, [{ reset: constants.NGHTTP2_REFUSED_STREAM }], {
    'http.in.downstream_rq_5xx': 1,
  }),
  one(
    'a reset that the route tries again',
    get,
    [{ reset: constants.NGHTTP2_INTERNAL_ERROR }, ok],
    { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_retry': 1, 'cluster.be.upstream_rq_total': 2 },
    'http2-upstream-retries',
  ),
  one('the connection is lost before the response', get, [{ afterwards: 'destroy' }], {
    ...failed,
    'cluster.be.upstream_rq_pending_failure_eject': 1,
    'cluster.be.upstream_cx_destroy_with_active_rq': 1,
  }),
  one(
    'the connection is lost in the middle of the response',
    [{ send: get }, { closed: true }],
    [{ ...ok, afterwards: 'destroy' }],
    { 'cluster.be.upstream_cx_destroy_with_active_rq': 1, 'cluster.be.upstream_cx_destroy_remote': 1 },
  ),
  one(
    'GOAWAY, and a request behind it',
    [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    [{ ...ok, afterwards: 'goaway' }, ok],
    {
      'cluster.be.upstream_rq_total': 2,
      'cluster.be.upstream_cx_total': 2,
      'cluster.be.upstream_cx_close_notify': 1,
    },
  ),
  one(
    'the client goes before the response',
    [{ send: get }, { upstreamHeads: 1 }, { reset: true }],
    [{ when: 'head', afterwards: 'echo' }],
    {
      'cluster.be.upstream_rq_tx_reset': 1,
      'cluster.be.http2.tx_reset': 1,
      'cluster.be.upstream_cx_destroy': 0,
      'http.in.downstream_rq_rx_reset': 1,
    },
  ),
  one(
    'an answer before the end of the request',
    [{ send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello' }, { responses: 1 }],
    [{ ...ok, when: 'head' }],
    { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_tx_reset': 1 },
  ),
  one(
    'two requests on one connection',
    [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    [ok],
    {
      'cluster.be.upstream_rq_total': 2,
      'cluster.be.upstream_cx_total': 1,
      'cluster.be.upstream_rq_pending_total': 1,
    },
  ),
  one(
    'one request for each connection',
    [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    [ok],
    {
      'cluster.be.upstream_cx_total': 2,
      'cluster.be.upstream_cx_max_requests': 2,
      'cluster.be.upstream_cx_destroy_local': 2,
    },
    'http2-upstream-once',
  ),
  one('the older field of the cluster', get, [ok], made, 'http2-upstream-options'),
  one('over TLS', get, [ok], made, 'http2-upstream-over-tls'),
  one(
    'what TLS agrees on, shared by two requests',
    [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    [ok],
    {
      'cluster.be.upstream_cx_http2_total': 1,
      'cluster.be.upstream_rq_total': 2,
    },
    'http2-upstream-by-alpn',
  ),
  one(
    'a chunked body where TLS decides',
    request('POST /', 'Host: a\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    [ok],
    passed,
    'http2-upstream-by-alpn',
  ),
  one(
    'HTTP/1.1 to a server that knows only HTTP/2',
    get,
    [ok],
    { 'http.in.downstream_rq_5xx': 1 },
    'http2-upstream-wrong-alpn',
  ),
  one(
    'a WebSocket',
    [
      { send: request('GET /', websocket) },
      { text: '\r\n\r\n' },
      { send: 'hello' },
      { text: 'hello' },
      { end: true },
      { closed: true },
    ],
    [{ fields: granted, when: 'head', afterwards: 'echo' }],
    { 'cluster.be.upstream_rq_total': 1, 'http.in.downstream_cx_upgrades_total': 1 },
    'http2-upstream-upgrades',
  ),
  one(
    'a WebSocket that is not granted',
    request('GET /', websocket),
    [{ fields: { ':status': '403', 'content-length': '2' }, body: 'no', when: 'head' }],
    { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 1 },
    'http2-upstream-upgrades',
  ),
];
