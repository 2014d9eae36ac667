import type { DifferentialCase } from '../support/case.ts';
import { request } from '../support/expectations.ts';
import { ends, message } from './grpc.ts';

const asksBefore = 'Access-Control-Request-Method: GET\r\n';
const from = (origin: string): string => `Origin: ${origin}\r\n`;
const own =
  'HTTP/1.1 200 OK\r\naccess-control-allow-origin: app\r\naccess-control-expose-headers: app\r\ncontent-length: 2\r\n\r\nhi';

const valid = { 'http.in.cors.origin_valid': 1, 'http.in.cors.origin_invalid': 0 } as const;
const invalid = { 'http.in.cors.origin_valid': 0, 'http.in.cors.origin_invalid': 1 } as const;
const uncounted = { 'http.in.cors.origin_valid': 0, 'http.in.cors.origin_invalid': 0 } as const;
const forwarded = { 'cluster.be.upstream_rq_total': 1 } as const;
const answered = { 'cluster.be.upstream_rq_total': 0, 'http.in.downstream_rq_2xx': 1 } as const;

function one(
  line: string,
  fields: string,
  counters: DifferentialCase['counters'],
  upstream: DifferentialCase['upstream'] = { text: own },
): DifferentialCase {
  return {
    name: `CORS: ${line} with ${fields.replaceAll('\r\n', '; ')}`,
    rule: 'CORS',
    setup: 'cors',
    // Envoy gives what has no body a length where it goes on.
    client: request(line, `Host: a\r\n${fields}${line.startsWith('OPTIONS') ? 'Content-Length: 0\r\n' : ''}`),
    upstream,
    counters,
  };
}

export const corsCases: readonly DifferentialCase[] = [
  one('OPTIONS /route', from('http://route') + asksBefore, { ...valid, ...answered }),
  one('GET /route', from('http://route'), { ...valid, ...forwarded }),
  one('OPTIONS /route', from('http://host') + asksBefore, { ...invalid, ...forwarded }),
  one('OPTIONS /', from('http://host') + asksBefore, { ...valid, ...answered }),
  one('GET /', from('http://host'), { ...valid, ...forwarded }),
  one('GET /', '', { ...uncounted, ...forwarded }),
  one('GET /', from(''), { ...uncounted, ...forwarded }),
  one('GET /', from('null'), { ...invalid, ...forwarded }),
  one('GET /', from('HTTP://host'), { ...invalid, ...forwarded }),
  one('OPTIONS /', from('http://host'), { ...valid, ...forwarded }),
  one('OPTIONS /', `${from('http://host')}Access-Control-Request-Method:\r\n`, { ...valid, ...forwarded }),
  one('GET /', from('http://host') + asksBefore, { ...valid, ...forwarded }),
  one('GET /patterns', from('https://any'), { ...valid, ...forwarded }),
  one('GET /patterns', from('http://shop.EXAMPLE'), { ...valid, ...forwarded }),
  one('GET /patterns', from('http://shop:80'), { ...valid, ...forwarded }),
  one('GET /patterns', from('http://shop:80/evil'), { ...invalid, ...forwarded }),
  one('OPTIONS /patterns', from('https://any') + asksBefore, { ...valid, ...answered }),
  one('OPTIONS /all', from('http://any') + asksBefore, { ...valid, ...answered }),
  one('OPTIONS /all', `${from('http://any')}${asksBefore}Access-Control-Request-Private-Network: true\r\n`, {
    ...valid,
    ...answered,
  }),
  one('GET /all', from('http://any'), { ...valid, ...forwarded }),
  one('OPTIONS /answered', from('http://any') + asksBefore, { ...invalid, ...answered }),
  one('OPTIONS /answered', from('http://any'), { ...invalid, ...forwarded }),
  one('GET /answered', from('http://any'), { ...invalid, ...forwarded }),
  one('OPTIONS /counted', from('http://host') + asksBefore, { ...valid, ...forwarded }),
  one('OPTIONS /off', from('http://host') + asksBefore, { ...uncounted, ...forwarded }),
  one('OPTIONS /disabled', from('http://host') + asksBefore, { ...uncounted, ...forwarded }),
  one('OPTIONS /direct', from('http://host') + asksBefore, { ...uncounted, ...answered }),
  one('GET /nowhere', from('http://any'), { ...valid, 'http.in.downstream_rq_5xx': 1 }),
  {
    name: 'CORS: a WebSocket is upgraded as ever',
    rule: 'CORS',
    setup: 'cors',
    client: [
      {
        send: `GET /upgraded HTTP/1.1\r\nHost: a\r\n${from('http://any')}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      },
      { text: '\r\n\r\n' },
      { send: 'ping' },
      { text: 'ping' },
    ],
    upstream: {
      text: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      when: 'head',
      afterwards: 'echo',
    },
    counters: { ...valid, 'http.in.downstream_cx_upgrades_total': 1 },
  },
  {
    name: 'CORS: a page may ask whether it may call',
    rule: 'CORS',
    setup: 'grpc-web-cors',
    client: request(
      'OPTIONS /a.B/C',
      `Host: a\r\n${from('http://host')}Access-Control-Request-Method: POST\r\n`,
    ),
    streams: [],
    counters: { ...valid, ...answered },
  },
  {
    name: 'CORS: a page may read what its call of gRPC-Web answers',
    rule: 'CORS',
    setup: 'grpc-web-cors',
    client: `POST /a.B/C HTTP/1.1\r\nHost: a\r\n${from('http://host')}Content-Type: application/grpc-web\r\nContent-Length: 10\r\n\r\n${message('hello')}`,
    streams: [ends({ 'grpc-status': '0' })],
    counters: { ...valid, ...forwarded },
  },
];
