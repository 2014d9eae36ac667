import type { DifferentialCase } from '../support/case.ts';
import { answer, passed, request } from '../support/expectations.ts';

const get = request('GET /');
const twice = {
  'http.in.downstream_rq_total': 2,
  'cluster.be.upstream_rq_total': 2,
} as const;
const webSocket = request(
  'GET /chat',
  'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n',
);
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nx-upstream: yes\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';

/** Keep-alive, pipelining, HTTP/1.0, upgrades, CONNECT, ends of connections. */
export const connectionCases: readonly DifferentialCase[] = [
  {
    name: 'two requests one after the other share both connections',
    rule: 'keep-alive',
    client: [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    counters: { ...twice, 'cluster.be.upstream_cx_total': 1 },
  },
  {
    name: 'pipelined requests are answered in order',
    rule: 'pipelining',
    client: [{ send: `${request('GET /1')}${request('GET /2')}${request('GET /3')}` }, { responses: 3 }],
    upstream: [1, 2, 3].map((n) => ({ text: answer('200 OK', 'content-length: 1\r\n', String(n)) })),
    counters: { 'http.in.downstream_rq_total': 3, 'cluster.be.upstream_rq_total': 3 },
  },
  {
    name: 'Connection: close ends the connection',
    rule: 'keep-alive',
    client: [
      { send: request('GET /', 'Host: a\r\nConnection: close\r\n') },
      { responses: 1 },
      { closed: true },
    ],
    counters: { ...passed, 'http.in.downstream_cx_destroy': 1 },
  },
  {
    name: 'a head in single bytes',
    rule: 'parsing',
    client: [...get.split('').map((send) => ({ send })), { responses: 1 }],
    counters: passed,
  },
  {
    name: 'a client that closes its side after the request',
    rule: 'half-close',
    client: [{ send: get }, { upstreamHeads: 1 }, { end: true }, { closed: true }],
    upstream: { text: '' },
    counters: {
      'http.in.downstream_rq_rx_reset': 1,
      'http.in.downstream_cx_destroy_remote_active_rq': 1,
      'cluster.be.upstream_cx_destroy_with_active_rq': 1,
    },
  },
  {
    name: 'HTTP/1.0 where it is not accepted',
    rule: 'HTTP/1.0',
    client: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'HTTP/1.0 where it is accepted',
    rule: 'accept_http_10',
    setup: 'http10',
    client: [{ send: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' }, { responses: 1 }, { closed: true }],
    counters: passed,
  },
  {
    name: 'HTTP/1.0 with keep-alive',
    rule: 'accept_http_10',
    setup: 'http10',
    client: 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
    counters: passed,
  },
  {
    name: 'HTTP/1.0 without Host gets the default one',
    rule: 'default_host_for_http_10',
    setup: 'http10',
    client: [{ send: 'GET / HTTP/1.0\r\n\r\n' }, { closed: true }],
    counters: passed,
  },
  {
    name: 'HTTP/1.0 gets a chunked response until the end of the connection',
    rule: 'accept_http_10',
    setup: 'http10',
    client: [{ send: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' }, { closed: true }],
    upstream: { text: answer('200 OK', 'transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n') },
    counters: passed,
  },
  {
    name: 'the connection ends after its last request',
    rule: 'max_requests_per_connection',
    setup: 'two-requests',
    client: [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }, { closed: true }],
    counters: { ...twice, 'http.in.downstream_cx_max_requests_reached': 1 },
  },
  {
    name: 'an upgrade that is not configured',
    rule: 'Upgrade',
    client: webSocket,
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a WebSocket is relayed and counted',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: [{ send: webSocket }, { responses: 1 }, { send: 'hello' }, { text: 'hello' }],
    upstream: { text: switching, afterwards: 'echo' },
    counters: {
      'http.in.downstream_cx_upgrades_total': 1,
      'http.in.downstream_rq_total': 1,
      'cluster.be.upstream_rq_total': 1,
    },
  },
  {
    name: 'bytes sent together with the upgrade request',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: [{ send: `${webSocket}early` }, { text: 'early' }],
    upstream: { text: switching, afterwards: 'echo' },
    counters: { 'http.in.downstream_cx_upgrades_total': 1 },
  },
  {
    name: 'an upgrade that is granted with a length of 0',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: [{ send: webSocket }, { responses: 1 }, { send: 'hello' }, { text: 'hello' }],
    upstream: {
      text: switching.replace('connection:', 'content-length: 0\r\nconnection:'),
      afterwards: 'echo',
    },
    counters: { 'http.in.downstream_cx_upgrades_total': 1 },
  },
  {
    name: 'an upgrade that is granted with a length',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: webSocket,
    upstream: { text: switching.replace('connection:', 'content-length: 3\r\nconnection:') },
    counters: { 'http.in.downstream_rq_5xx': 1 },
  },
  {
    name: 'an upgrade that is granted as chunked',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: webSocket,
    upstream: { text: switching.replace('connection:', 'transfer-encoding: chunked\r\nconnection:') },
    counters: { 'http.in.downstream_rq_5xx': 1 },
  },
  {
    name: 'the upstream declines an upgrade',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: webSocket,
    upstream: { text: answer('400 Bad Request', 'content-length: 2\r\n', 'no') },
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 1 },
  },
  {
    name: 'an upgrade to another protocol than those configured',
    rule: 'Upgrade',
    setup: 'upgrades',
    client: request('GET /', 'Host: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n'),
    counters: { 'http.in.downstream_rq_4xx': 1 },
  },
  {
    name: 'an offer of h2c is declined by ignoring it',
    rule: 'Upgrade',
    client: request(
      'GET /',
      'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
    ),
    counters: passed,
  },
  {
    name: 'CONNECT opens a tunnel to the cluster',
    rule: 'CONNECT',
    setup: 'connect',
    raw: true,
    client: [
      { send: request('CONNECT a:80', 'Host: a:80\r\n') },
      { text: '200 OK' },
      { send: 'hello' },
      { text: 'hello' },
    ],
    counters: { 'http.in.downstream_rq_total': 1, 'cluster.be.upstream_cx_total': 1 },
  },
  {
    name: 'a response after the keep-alive connection was used twice',
    rule: 'pools',
    setup: 'one-request-per-connection',
    client: [{ send: get }, { responses: 1 }, { send: get }, { responses: 2 }],
    counters: { ...twice, 'cluster.be.upstream_cx_total': 2, 'cluster.be.upstream_cx_max_requests': 2 },
  },
  {
    name: 'a request finds the circuit open',
    rule: 'circuit breakers',
    setup: 'breaker',
    client: get,
    counters: { 'http.in.downstream_rq_5xx': 1, 'cluster.be.upstream_rq_pending_overflow': 1 },
  },
  {
    name: 'a listener that may take no connection',
    rule: 'connection limits',
    setup: 'no-connections',
    client: [{ send: get }, { closed: true }],
    counters: {
      'listener.in.downstream_cx_overflow': 1,
      'listener.in.downstream_cx_total': 0,
      'http.in.downstream_cx_total': 0,
    },
  },
  {
    name: 'a connection within all limits',
    rule: 'connection limits',
    setup: 'few-connections',
    client: get,
    counters: {
      ...passed,
      'connection_limit.few.limited_connections': 0,
      'listener.in.downstream_global_cx_overflow': 0,
      'listener.in.downstream_cx_total': 1,
    },
  },
];
