import type { DifferentialCase } from '../support/case.ts';
import { passed, request } from '../support/expectations.ts';

const fields = (lines: string): string => request('GET /', `Host: a\r\n${lines}`);
const forwarded = 'X-Forwarded-For: 203.0.113.7, 10.1.2.3\r\nX-Forwarded-Proto: https\r\n';
const cert = 'X-Forwarded-Client-Cert: By=spiffe://b;Hash=abc;URI=spiffe://a\r\n';
const internal = [
  'x-envoy-retry-on: 5xx',
  'x-envoy-max-retries: 9',
  'x-envoy-upstream-rq-timeout-ms: 77',
  'x-envoy-force-trace: 1',
  'x-envoy-original-path: /x',
  'x-envoy-decorator-operation: y',
  'x-envoy-expected-rq-timeout-ms: 5',
  '',
].join('\r\n');

/** Who asks: X-Forwarded-For and its trust, X-Forwarded-Client-Cert, request ids, internal fields. */
export const identityCases: readonly DifferentialCase[] = [
  {
    name: 'X-Forwarded-For passes where the address is not used',
    rule: 'use_remote_address',
    client: fields(forwarded),
    counters: passed,
  },
  {
    name: 'the address is appended to nothing',
    rule: 'use_remote_address',
    setup: 'edge',
    client: fields(''),
    counters: passed,
  },
  {
    name: 'the address is appended to X-Forwarded-For',
    rule: 'use_remote_address',
    setup: 'edge',
    client: fields(forwarded),
    counters: passed,
  },
  {
    name: 'a trusted hop in front',
    rule: 'xff_num_trusted_hops',
    setup: 'hops',
    client: fields(forwarded),
    counters: passed,
  },
  {
    name: 'a trusted hop in front says that the client is inside',
    rule: 'xff_num_trusted_hops',
    setup: 'hops',
    client: fields('X-Forwarded-For: 10.1.2.3\r\n'),
    counters: passed,
  },
  {
    name: 'a trusted hop, the address not used',
    rule: 'xff_num_trusted_hops',
    setup: 'hops-inside',
    client: fields(forwarded),
    counters: passed,
  },
  {
    name: 'X-Forwarded-For is left alone',
    rule: 'skip_xff_append',
    setup: 'no-xff',
    client: fields(forwarded),
    counters: passed,
  },
  {
    name: 'X-Forwarded-For that is no address',
    rule: 'use_remote_address',
    client: fields('X-Forwarded-For: nonsense\r\n'),
    counters: passed,
  },
  {
    name: 'one internal address in X-Forwarded-For makes a request internal',
    rule: 'internal address',
    client: fields(`X-Forwarded-For: 10.0.0.1\r\n${internal}`),
    counters: passed,
  },
  {
    name: 'an external request loses internal fields',
    rule: 'internal fields',
    client: fields(`X-Forwarded-For: 203.0.113.7\r\n${internal}`),
    counters: passed,
  },
  {
    name: 'a request at the edge loses internal fields',
    rule: 'internal fields',
    setup: 'edge',
    client: fields(`X-Forwarded-For: 203.0.113.7\r\n${internal}`),
    counters: passed,
  },
  {
    name: 'X-Forwarded-Proto of a stranger',
    rule: 'x-forwarded-proto',
    setup: 'edge',
    client: fields('X-Forwarded-Proto: https\r\n'),
    counters: passed,
  },
  {
    name: 'X-Forwarded-Proto that is no scheme',
    rule: 'x-forwarded-proto',
    client: fields('X-Forwarded-Proto: ftp\r\n'),
    counters: passed,
  },
  { name: 'a client certificate is sanitised', rule: 'SANITIZE', client: fields(cert), counters: passed },
  {
    name: 'a client certificate is always forwarded',
    rule: 'ALWAYS_FORWARD_ONLY',
    setup: 'cert-forwarded-always',
    client: fields(cert),
    counters: passed,
  },
  {
    name: 'a client certificate is forwarded over mTLS only',
    rule: 'FORWARD_ONLY',
    setup: 'cert-forwarded',
    client: fields(cert),
    counters: passed,
  },
  {
    name: 'a request id is kept',
    rule: 'request id',
    client: fields('X-Request-Id: 6c1c2d5e-1d2c-4f7e-9a51-3d2c5c0d9a10\r\n'),
    counters: passed,
  },
  {
    name: 'a request id of a stranger is made anew',
    rule: 'request id',
    setup: 'edge',
    client: fields('X-Request-Id: 6c1c2d5e-1d2c-4f7e-9a51-3d2c5c0d9a10\r\n'),
    counters: passed,
  },
  {
    name: 'no request id is made',
    rule: 'generate_request_id',
    setup: 'no-request-id',
    client: fields(''),
    counters: passed,
  },
  {
    name: 'the request id is told in the response',
    rule: 'always_set_request_id_in_response',
    setup: 'request-id-in-response',
    client: fields(''),
    counters: passed,
  },
];
