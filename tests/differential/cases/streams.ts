import type { DifferentialCase } from '../support/case.ts';
import { passed, request } from '../support/expectations.ts';

const get = request('GET /');
const served = { 'http.in.downstream_rq_total': 1, 'http.in.downstream_rq_2xx': 1 } as const;
const relayed = { 'tcp.in.downstream_cx_total': 1, 'cluster.be.upstream_cx_total': 1 } as const;
/** A connection whose TLS handshake came to nothing. */
const refused = {
  'http.in.downstream_rq_total': 0,
  'http.in.downstream_cx_total': 1,
  'http.in.downstream_cx_ssl_total': 1,
  'http.in.downstream_cx_destroy_remote': 1,
  'listener.in.downstream_cx_total': 1,
  'listener.in.ssl.handshake': 0,
};

/** A PROXY protocol version 2 header: IPv4 over TCP, 203.0.113.7:4711 to 192.0.2.1:443. */
const version2 = '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x67\x01\xbb';
const version1 = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n';

function refusedHeader(name: string, header: string): DifferentialCase {
  return {
    name,
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: [{ send: `${header}${get}` }, { closed: true }],
    counters: { 'http.in.downstream_rq_total': 0 },
  };
}

/** TCP proxying, PROXY protocol, TLS, detection on one port. */
export const streamCases: readonly DifferentialCase[] = [
  {
    name: 'bytes pass both ways',
    rule: 'TCP',
    setup: 'tcp',
    raw: true,
    client: [{ send: 'hello' }, { text: 'hello' }, { send: 'again' }, { text: 'again' }],
    counters: { ...relayed, 'tcp.in.downstream_cx_rx_bytes_total': 10 },
  },
  {
    name: 'half-close passes',
    rule: 'TCP',
    setup: 'tcp',
    raw: true,
    client: [{ send: 'hello' }, { end: true }, { closed: true }],
    counters: relayed,
  },
  {
    name: 'a server that speaks first',
    rule: 'TCP',
    setup: 'tcp',
    raw: true,
    greeting: '220 ready\r\n',
    client: [{ text: 'ready' }, { send: 'EHLO' }, { text: 'EHLO' }],
    counters: relayed,
  },
  {
    name: 'a stream without bytes',
    rule: 'TCP idle_timeout',
    setup: 'tcp-idle',
    raw: true,
    client: [{ send: 'hello' }, { closed: true }],
    counters: { ...relayed, 'tcp.in.idle_timeout': 1 },
  },
  {
    name: 'nothing listens',
    rule: 'TCP',
    setup: 'tcp-down',
    raw: true,
    client: [{ send: 'hello' }, { closed: true }],
    counters: { 'tcp.in.downstream_cx_total': 1, 'cluster.be.upstream_cx_connect_fail': 1 },
  },
  {
    name: 'a cluster that does not exist',
    rule: 'TCP',
    setup: 'tcp-nowhere',
    raw: true,
    client: [{ send: 'hello' }, { closed: true }],
    counters: { 'tcp.in.downstream_cx_no_route': 1 },
  },
  {
    name: 'PROXY protocol version 1',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: `${version1}${get}`,
    counters: passed,
  },
  {
    name: 'PROXY protocol version 1 over IPv6',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: `PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n${get}`,
    counters: passed,
  },
  {
    name: 'PROXY protocol version 1, unknown',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: `PROXY UNKNOWN\r\n${get}`,
    counters: passed,
  },
  {
    name: 'PROXY protocol version 2',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: `${version2}${get}`,
    counters: passed,
  },
  {
    name: 'PROXY protocol version 2, local',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: `\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00${get}`,
    counters: passed,
  },
  {
    name: 'PROXY protocol in single bytes',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol',
    client: [...version2.split('').map((send) => ({ send })), { send: get }, { responses: 1 }],
    counters: passed,
  },
  refusedHeader('PROXY protocol is missing', ''),
  refusedHeader('PROXY protocol with a port that is none', 'PROXY TCP4 203.0.113.7 192.0.2.1 99999 443\r\n'),
  refusedHeader(
    'PROXY protocol with an address of another family',
    'PROXY TCP4 2001:db8::7 192.0.2.1 4711 443\r\n',
  ),
  refusedHeader('PROXY protocol that never ends', `PROXY TCP4 ${'1'.repeat(120)}`),
  refusedHeader(
    'PROXY protocol of an unknown version',
    '\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x67\x01\xbb',
  ),
  {
    name: 'PROXY protocol may be missing',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol-optional',
    client: get,
    counters: passed,
  },
  {
    name: 'PROXY protocol goes on to the upstream',
    rule: 'PROXY protocol',
    setup: 'proxy-protocol-out',
    raw: true,
    client: [{ send: `${version1}hello` }, { text: 'hello' }],
    counters: relayed,
  },
  {
    name: 'TLS is terminated',
    rule: 'TLS',
    setup: 'tls',
    tls: {},
    client: get,
    counters: { ...passed, 'http.in.downstream_cx_ssl_total': 1 },
  },
  {
    name: 'unknown protocols only are offered',
    rule: 'ALPN',
    setup: 'tls',
    tls: { alpn: ['foo', 'bar'] },
    client: get,
    counters: { ...passed, 'http.in.downstream_cx_ssl_total': 1 },
  },
  {
    name: 'plain text on a TLS port',
    rule: 'TLS',
    setup: 'tls',
    client: [{ send: get }, { closed: true }],
    counters: { ...refused, 'listener.in.ssl.connection_error': 1 },
  },
  {
    name: 'a client that ends before it has said anything',
    rule: 'TLS',
    setup: 'tls',
    client: [{ end: true }, { closed: true }],
    counters: { ...refused, 'listener.in.ssl.connection_error': 0 },
  },
  {
    name: 'no certificate where one is required',
    rule: 'mTLS',
    setup: 'tls-mutual',
    tls: {},
    client: [{ send: get }, { closed: true }],
    counters: {
      ...refused,
      'listener.in.ssl.fail_verify_no_cert': 1,
      'listener.in.ssl.connection_error': 0,
      'listener.in.ssl.fail_verify_error': 0,
    },
  },
  {
    name: 'a chain by exact server name',
    rule: 'SNI',
    setup: 'sni',
    tls: { serverName: 'exact.example' },
    client: get,
    counters: served,
  },
  {
    name: 'a chain by wildcard',
    rule: 'SNI',
    setup: 'sni',
    tls: { serverName: 'some.example' },
    client: get,
    counters: served,
  },
  {
    name: 'a chain by protocol',
    rule: 'ALPN',
    setup: 'sni',
    tls: { serverName: 'else.where', alpn: ['special'] },
    client: get,
    counters: served,
  },
  { name: 'a chain for plain text', rule: 'detection', setup: 'sni', client: get, counters: served },
  {
    name: 'the chain for the rest',
    rule: 'SNI',
    setup: 'sni',
    tls: { serverName: 'else.where' },
    client: get,
    counters: passed,
  },
  { name: 'HTTP is detected', rule: 'detection', setup: 'detection', client: get, counters: served },
  { name: 'TLS is detected', rule: 'detection', setup: 'detection', tls: {}, client: get, counters: served },
  {
    name: 'what is neither passes as it is',
    rule: 'detection',
    setup: 'detection',
    raw: true,
    client: [{ send: 'NICK someone\r\n' }, { text: 'someone' }],
    counters: relayed,
  },
];
