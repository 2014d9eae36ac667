import type { DifferentialCase, StreamAnswer } from '../support/case.ts';
import { ends, endsAtOnce, message } from './grpc.ts';

function call(contentType: string, body: string, fields = ''): string {
  return `POST /a.B/C?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const grpc = call('application/grpc', message('hello'));
const bare = call('application/x-protobuf', 'hello');
const ok: StreamAnswer = ends({ 'grpc-status': '0', 'grpc-message': 'fine', 'x-other': '1' });
const answered = { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_200': 1 } as const;
/** A 200 of the upstream that became a 503. */
const failed = { 'http.in.downstream_rq_5xx': 1, 'cluster.be.upstream_rq_200': 1 } as const;
const page: StreamAnswer = {
  fields: { ':status': '502', 'content-type': 'text/html', 'x-upstream': 'yes' },
  body: '<p>',
};

function one(
  name: string,
  client: DifferentialCase['client'],
  streams: readonly StreamAnswer[],
  counters: DifferentialCase['counters'],
  setup: NonNullable<DifferentialCase['setup']> = 'grpc-bridge',
): DifferentialCase {
  return { name: `gRPC over HTTP/1.1: ${name}`, rule: 'gRPC', setup, client, streams, counters };
}

/** Calls of clients that read no trailers. */
export const grpcBridgeCases: readonly DifferentialCase[] = [
  one('a call', grpc, [ok], answered),
  one(
    'a call in chunks',
    'POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc+proto\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n\0\0\0\0\u0002hi\r\n0\r\n\r\n',
    [ok],
    answered,
  ),
  one('an error in the trailers', grpc, [ends({ 'grpc-status': '5', 'grpc-message': 'no' })], failed),
  one('a status that is none', grpc, [ends({ 'grpc-status': 'x' })], failed),
  one('an error without a message', grpc, [ends({ 'grpc-status': '5' }, '')], failed),
  one('trailers without a status', grpc, [ends({ 'x-other': '1' })], answered),
  one('an error in the head', grpc, [endsAtOnce({ 'grpc-status': '7', 'grpc-message': 'no' })], answered),
  one('a page for an answer', grpc, [page], { 'http.in.downstream_rq_5xx': 1 }),
  one('a call that policy denies', call('application/grpc', message('a'), 'X-Deny: 1\r\n'), [], {
    'http.in.downstream_rq_2xx': 1,
    'http.in.rbac.denied': 1,
  }),
  one('a bare message is left alone', bare, [ok], answered),
  one(
    'a call over HTTP/2',
    { requests: [{ fields: { ':path': '/a.B/C', 'content-type': 'application/grpc' }, body: message('a') }] },
    [ok],
    answered,
  ),
  one('a bare message', bare, [ok], answered, 'grpc-bridge-options'),
  one('a bare message that fails', bare, [ends({ 'grpc-status': '5' })], failed, 'grpc-bridge-options'),
  one('a bare message and a page', bare, [page], { 'http.in.downstream_rq_5xx': 1 }, 'grpc-bridge-options'),
  one(
    'a bare message that policy denies',
    call('application/x-protobuf', 'a', 'X-Deny: 1\r\n'),
    [],
    {
      'http.in.downstream_rq_4xx': 1,
      'http.in.rbac.denied': 1,
    },
    'grpc-bridge-options',
  ),
  one('an empty bare message', call('application/x-protobuf', ''), [ok], answered, 'grpc-bridge-options'),
];
