import type { DifferentialCase } from '../support/case.ts';
import { malformed, passed, request } from '../support/expectations.ts';

const post = (fields: string, body: string): string => request('POST /', `Host: a\r\n${fields}`, body);
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
/** The head has been routed before the framing turned out to be broken. */
const broken = { 'http.in.downstream_cx_protocol_error': 1 } as const;

/** Rules 14 to 20: where a request's body ends. */
export const framingCases: readonly DifferentialCase[] = [
  {
    name: 'a body by length',
    rule: 'Content-Length',
    client: post('Content-Length: 4\r\n', 'body'),
    counters: passed,
  },
  { name: 'a chunked body', rule: 'chunked', client: chunked('4\r\nbody\r\n0\r\n\r\n'), counters: passed },
  {
    name: 'a chunked body in many chunks',
    rule: 'chunked',
    client: chunked('1\r\nb\r\n2\r\nod\r\n1\r\ny\r\n0\r\n\r\n'),
    counters: passed,
  },
  { name: 'an empty chunked body', rule: 'chunked', client: chunked('0\r\n\r\n'), counters: passed },
  {
    name: 'a length of zero',
    rule: 'Content-Length',
    client: post('Content-Length: 0\r\n', ''),
    counters: passed,
  },
  {
    name: 'both lengths',
    rule: 'rule 14',
    client: post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    counters: malformed,
  },
  {
    name: 'both lengths, the other way round',
    rule: 'rule 14',
    client: post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'),
    counters: malformed,
  },
  {
    name: 'two different lengths',
    rule: 'rule 15',
    client: post('Content-Length: 4\r\nContent-Length: 5\r\n', 'bodyx'),
    counters: malformed,
  },
  {
    name: 'the same length twice',
    rule: 'rule 15',
    client: post('Content-Length: 4\r\nContent-Length: 4\r\n', 'body'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a list of equal lengths',
    rule: 'rule 15',
    client: post('Content-Length: 4, 4\r\n', 'body'),
    counters: malformed,
  },
  {
    name: 'a length with a sign',
    rule: 'rule 15',
    client: post('Content-Length: +4\r\n', 'body'),
    counters: malformed,
  },
  {
    name: 'a negative length',
    rule: 'rule 15',
    client: post('Content-Length: -1\r\n', 'body'),
    counters: malformed,
  },
  {
    name: 'a hexadecimal length',
    rule: 'rule 15',
    client: post('Content-Length: 0x4\r\n', 'body'),
    counters: malformed,
  },
  {
    name: 'an empty length',
    rule: 'rule 15',
    client: post('Content-Length:\r\n', 'body'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a length that overflows',
    rule: 'rule 15',
    client: post('Content-Length: 99999999999999999999\r\n', 'body'),
    counters: malformed,
  },
  {
    name: 'an unknown transfer coding',
    rule: 'rule 16',
    client: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'chunked twice',
    rule: 'rule 16',
    client: post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'chunked that is not last',
    rule: 'rule 16',
    client: post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'identity as transfer coding',
    rule: 'rule 16',
    client: post('Transfer-Encoding: identity\r\n', ''),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'xchunked',
    rule: 'rule 16',
    client: post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'chunked in capitals',
    rule: 'rule 16',
    client: post('Transfer-Encoding: CHUNKED\r\n', '0\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'Transfer-Encoding twice',
    rule: 'rule 16',
    client: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'chunked with HTTP/1.0',
    rule: 'rule 17',
    setup: 'http10',
    client: 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    counters: passed,
  },
  {
    name: 'a chunk size with 0x',
    rule: 'rule 18',
    client: chunked('0x4\r\nbody\r\n0\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'a chunk size with a sign',
    rule: 'rule 18',
    client: chunked('+4\r\nbody\r\n0\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'a chunk size that is missing',
    rule: 'rule 18',
    client: chunked('\r\nbody\r\n0\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'a chunk size that overflows',
    rule: 'rule 18',
    client: chunked('ffffffffffffffffff\r\nbody\r\n0\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'a chunk size in capitals',
    rule: 'rule 18',
    client: chunked(`A\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`),
    counters: passed,
  },
  {
    name: 'a chunk extension',
    rule: 'rule 18',
    client: chunked('4;name=value\r\nbody\r\n0\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'LF in a chunk extension',
    rule: 'rule 18',
    client: chunked('4;x\ny\r\nbody\r\n0\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'a chunk that is longer than it says',
    rule: 'rule 18',
    client: chunked('3\r\nbody\r\n0\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'LF alone after a chunk size',
    rule: 'rule 18',
    client: chunked('4\nbody\r\n0\r\n\r\n'),
    counters: { 'http.in.downstream_rq_total': 1 },
  },
  {
    name: 'trailers are dropped by default',
    rule: 'rule 19',
    client: chunked('4\r\nbody\r\n0\r\nX-Trailer: t\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'trailers where they are on',
    rule: 'trailers',
    setup: 'trailers',
    client: chunked('4\r\nbody\r\n0\r\nX-Trailer: t\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'a trailer that is no field',
    rule: 'rule 19',
    setup: 'trailers',
    client: chunked('4\r\nbody\r\n0\r\nX Trailer: t\r\n\r\n'),
    counters: broken,
  },
  {
    name: 'GET with a body',
    rule: 'rule 20',
    client: request('GET /', 'Host: a\r\nContent-Length: 4\r\n', 'body'),
    counters: passed,
  },
  {
    name: 'DELETE with a body',
    rule: 'rule 20',
    client: request('DELETE /', 'Host: a\r\nContent-Length: 4\r\n', 'body'),
    counters: passed,
  },
  {
    name: 'HEAD with a body',
    rule: 'rule 20',
    client: request('HEAD /', 'Host: a\r\nContent-Length: 4\r\n', 'body'),
    upstream: { text: 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 5\r\n\r\n' },
    counters: passed,
  },
  {
    name: '100-continue is answered by the proxy',
    rule: 'Expect',
    client: [
      { send: request('POST /', 'Host: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n') },
      { text: '100 Continue' },
      { send: 'body' },
      { responses: 1 },
    ],
    counters: { ...passed, 'http.in.downstream_rq_completed': 2, 'http.in.downstream_rq_1xx': 1 },
  },
  {
    name: '100-continue is answered by the upstream where that is asked',
    rule: 'proxy_100_continue',
    setup: 'proxy-100-continue',
    client: [
      { send: request('POST /', 'Host: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n') },
      { upstreamHeads: 1 },
      { send: 'body' },
      { responses: 1 },
    ],
    counters: passed,
  },
];
