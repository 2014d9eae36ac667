import type { DifferentialCase } from '../support/case.ts';
import { answer, request } from '../support/expectations.ts';

/** What happens when nothing happens. */
export const timeoutCases: readonly DifferentialCase[] = [
  {
    name: 'a head that does not come to its end',
    rule: 'request_headers_timeout',
    setup: 'short-timeouts',
    client: [{ send: 'GET / HTTP/1.1\r\nHost:' }, { closed: true }],
    counters: { 'http.in.downstream_rq_header_timeout': 1 },
  },
  {
    name: 'a body that does not come to its end',
    rule: 'request_timeout',
    setup: 'short-timeouts',
    client: [{ send: request('POST /', 'Host: a\r\nContent-Length: 9\r\n', 'body') }, { closed: true }],
    counters: { 'http.in.downstream_rq_timeout': 1 },
  },
  {
    name: 'an upstream that does not answer',
    rule: 'timeout',
    setup: 'short-timeouts',
    client: request('GET /'),
    upstream: { text: '' },
    counters: { 'cluster.be.upstream_rq_timeout': 1, 'http.in.downstream_rq_5xx': 1 },
  },
  {
    name: 'a response that does not come to its end',
    rule: 'timeout',
    setup: 'short-timeouts',
    client: [{ send: request('GET /') }, { closed: true }],
    upstream: { text: answer('200 OK', 'content-length: 50\r\n', 'hello') },
    counters: { 'cluster.be.upstream_rq_timeout': 1 },
  },
  {
    name: 'a stream that stands still before the response',
    rule: 'stream_idle_timeout',
    setup: 'short-idle',
    client: request('GET /'),
    upstream: { text: '' },
    counters: { 'http.in.downstream_rq_idle_timeout': 1 },
  },
  {
    name: 'a stream that stands still in the request',
    rule: 'stream_idle_timeout',
    setup: 'short-idle',
    client: [{ send: request('POST /', 'Host: a\r\nContent-Length: 9\r\n', 'body') }, { closed: true }],
    counters: { 'http.in.downstream_rq_idle_timeout': 1 },
  },
  {
    name: 'a connection without requests',
    rule: 'idle_timeout',
    setup: 'short-idle',
    client: [{ closed: true }],
    counters: { 'http.in.downstream_cx_idle_timeout': 1 },
  },
];
