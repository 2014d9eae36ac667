import type { DifferentialCase, StreamAnswer } from '../support/case.ts';
import { callCounters, ends, endsAtOnce, message } from './grpc.ts';

const textType = 'application/grpc-web-text';

/** A call over HTTP/1.1. */
function call(contentType: string, body: string, fields = ''): string {
  return `POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const binary = call('application/grpc-web', message('hello'));
const prefix = 'cluster.be.grpc-web.a.B.C';
const counted = (status: number): Record<string, number> => callCounters(status, 'grpc-web');
const ok: StreamAnswer = ends({ 'grpc-status': '0', 'grpc-message': 'fine', 'x-other': '1' });
const answered = { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_200': 1 } as const;

function one(
  name: string,
  client: DifferentialCase['client'],
  streams: readonly StreamAnswer[],
  counters: DifferentialCase['counters'],
  setup: NonNullable<DifferentialCase['setup']> = 'grpc-web',
): DifferentialCase {
  return { name: `gRPC-Web: ${name}`, rule: 'gRPC-Web', setup, client, streams, counters };
}

/** Calls from web pages, most of them over HTTP/1.1. */
export const grpcWebCases: readonly DifferentialCase[] = [
  one('a binary call', binary, [ok], { ...answered, ...counted(0) }),
  one(
    'a call in chunks, with fields of its own',
    'POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\nGrpc-Accept-Encoding: gzip\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\u0002\r\n2\r\nhi\r\n0\r\n\r\n',
    [ok],
    { ...answered, ...counted(0) },
  ),
  one(
    'a binary call over HTTP/2',
    {
      requests: [
        {
          fields: { ':path': '/a.B/C', 'content-type': 'application/grpc-web+proto' },
          body: message('hello'),
        },
      ],
    },
    [ok],
    { ...answered, ...counted(0) },
  ),
  one('a call in text', call(textType, base64(message('hello')), `Accept: ${textType}\r\n`), [ok], {
    ...answered,
    ...counted(0),
  }),
  one('a call in text whose answer is binary', call(textType, base64(message('hello'))), [ok], answered),
  one(
    'an answer of two messages in text',
    call(`${textType}+proto`, base64(message('hello')), `Accept: ${textType}+proto\r\n`),
    [ends({ 'grpc-status': '0' }, message('one') + message('four'))],
    answered,
  ),
  one(
    'base64 in two pieces with padding',
    call(textType, base64(message('one')) + base64(message('hello'))),
    [ok],
    { 'http.in.downstream_rq_4xx': 1 },
  ),
  one('an error in the trailers', binary, [ends({ 'grpc-status': '5' })], { ...answered, ...counted(5) }),
  one('an error in the head', binary, [endsAtOnce({ 'grpc-status': '7', 'grpc-message': 'no' })], {
    ...answered,
    ...counted(7),
  }),
  one(
    'an error in the head, in text',
    call(textType, base64(message('hello')), `Accept: ${textType}\r\n`),
    [endsAtOnce({ 'grpc-status': '7' })],
    { ...answered, ...counted(7) },
  ),
  one(
    'a page for an answer',
    binary,
    [{ fields: { ':status': '503', 'content-type': 'text/html', 'x-upstream': 'yes' }, body: '<p>100%' }],
    { 'http.in.downstream_rq_5xx': 1, 'cluster.be.upstream_rq_503': 1, [`${prefix}.total`]: 0 },
  ),
  one('no base64', call(textType, '!!!!'), [ok], { 'http.in.downstream_rq_4xx': 1 }),
  one('base64 that is cut off', call(textType, `${base64(message('hello'))}AA`), [ok], {
    'http.in.downstream_rq_4xx': 1,
  }),
  one('another type', call('application/grpc-web+json', '{}'), [ok], { ...answered, [`${prefix}.total`]: 0 }),
  one('a call of gRPC over HTTP/1.1', call('application/grpc', message('hello')), [ok], answered),
  one('a call that policy denies', call('application/grpc-web', message('a'), 'X-Deny: 1\r\n'), [], {
    'http.in.downstream_rq_4xx': 1,
    'http.in.rbac.denied': 1,
  }),
  one(
    'a call that policy denies before it is known as one',
    call('application/grpc-web', message('a'), 'X-Deny: 1\r\n'),
    [],
    { 'http.in.downstream_rq_4xx': 1, 'http.in.rbac.denied': 1 },
    'grpc-web-behind',
  ),
  one(
    'a call to an upstream that is not there',
    binary,
    [],
    { 'http.in.downstream_rq_5xx': 1, 'cluster.be.upstream_rq_503': 1, [`${prefix}.total`]: 0 },
    'grpc-web-down',
  ),
];
