import type { DifferentialCase } from '../support/case.ts';
import { answer, passed, request } from '../support/expectations.ts';

const body = 'Content-Length: 4\r\n';
const aborted = {
  'http.in.fault.aborts_injected': 1,
  'http.in.fault.delays_injected': 0,
  'http.in.fault.active_faults': 0,
  'cluster.be.upstream_rq_total': 0,
} as const;
const untouched = {
  ...passed,
  'http.in.fault.aborts_injected': 0,
  'http.in.fault.delays_injected': 0,
} as const;
const delayed = { ...passed, 'http.in.fault.delays_injected': 1, 'http.in.fault.active_faults': 0 } as const;

function on(
  name: string,
  path: string,
  fields: string,
  counters: DifferentialCase['counters'],
  more: Partial<DifferentialCase> = {},
): DifferentialCase {
  const client = request(`GET ${path}`, `Host: a\r\n${fields}`);
  const upstream = { text: answer('200 OK', 'Content-Length: 0\r\n') };
  return { name: `faults: ${name}`, rule: 'fault', setup: 'faults', client, upstream, counters, ...more };
}

const abort = 'x-envoy-fault-abort-request';
const grpc = 'x-envoy-fault-abort-grpc-request';
const share = 'x-envoy-fault-abort-request-percentage';

export const faultCases: readonly DifferentialCase[] = [
  on('a route without any', '/', '', untouched),
  on('an abort', '/abort', '', aborted),
  on('an abort of a gRPC call', '/abort', 'content-type: application/grpc\r\n', aborted),
  on('an abort with a status of gRPC', '/grpc', '', aborted),
  on('such an abort of a gRPC call', '/grpc', 'content-type: application/grpc\r\n', aborted),
  on('a delay', '/delay', '', delayed),
  on('a delay of a request with a body', '/delay', '', delayed, {
    client: request('POST /delay', `Host: a\r\n${body}`, 'body'),
  }),
  on('a delay of a request in chunks', '/delay', '', delayed, {
    client: request('POST /delay', 'Host: a\r\nTransfer-Encoding: chunked\r\n', '4\r\nbody\r\n0\r\n\r\n'),
  }),
  on('a delay and an abort', '/both', '', { ...aborted, 'http.in.fault.delays_injected': 1 }),
  on('none of a hundred', '/none', '', untouched),
  on('another cluster', '/cluster', '', untouched),
  on('fields that are there', '/headers', 'x-fault: 1\r\n', aborted),
  on('fields that are not', '/headers', '', untouched),
  on('no room', '/full', '', { ...untouched, 'http.in.fault.faults_overflow': 1 }),
  on('nothing asked for', '/asked', '', untouched),
  on('an abort asked for', '/asked', `${abort}: 503\r\n`, aborted),
  on('an abort with a status of gRPC asked for', '/asked', `${grpc}: 5\r\n`, aborted),
  on('an abort with a status of nothing asked for', '/asked', `${abort}: 700\r\n`, untouched),
  on('no share of aborts asked for', '/asked', `${abort}: 503\r\n${share}: 0\r\n`, untouched),
  on('a delay asked for', '/asked', 'x-envoy-fault-delay-request: 100\r\n', delayed),
];
