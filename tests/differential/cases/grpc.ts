import { constants } from 'node:http2';
import type { DifferentialCase, StreamAnswer, StreamRequest } from '../support/case.ts';

/** A message as gRPC sends it. */
export function message(text: string): string {
  return `\0\0\0\0${String.fromCharCode(text.length)}${text}`;
}

const call: StreamRequest = {
  fields: { ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' },
  body: message('hello'),
};

/** The call with more fields. */
function withFields(fields: Readonly<Record<string, string>>): StreamRequest {
  return { ...call, fields: { ...call.fields, ...fields } };
}

const head = { ':status': '200', 'content-type': 'application/grpc', 'x-upstream': 'yes' };

/** One message and the trailers behind it. */
export function ends(trailers: Readonly<Record<string, string>>, body = message('world')): StreamAnswer {
  return { fields: head, body, trailers };
}

/** All in the head. */
export function endsAtOnce(fields: Readonly<Record<string, string>>): StreamAnswer {
  return { fields: { ...head, ...fields } };
}

/** What a call moves that ended with `status`; `protocol` as Envoy names it. */
export function callCounters(status: number, protocol: 'grpc' | 'grpc-web' = 'grpc'): Record<string, number> {
  const name = `cluster.be.${protocol}.a.B.C`;
  return {
    [`${name}.success`]: status === 0 ? 1 : 0,
    [`${name}.failure`]: status === 0 ? 0 : 1,
    [`${name}.total`]: 1,
    [`${name}.${status}`]: 1,
  };
}

const prefix = 'cluster.be.grpc.a.B.C';
const uncounted = { [`${prefix}.total`]: 0 };
const answered = {
  'http.in.downstream_rq_http2_total': 1,
  'http.in.downstream_rq_2xx': 1,
  'cluster.be.upstream_rq_total': 1,
  'cluster.be.upstream_rq_200': 1,
} as const;
/** Of a proxy's own answer: a 200 for those that count HTTP. */
const refused = { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_total': 0 } as const;

function one(
  name: string,
  requests: StreamRequest | readonly StreamRequest[],
  streams: readonly StreamAnswer[],
  counters: DifferentialCase['counters'],
  setup: NonNullable<DifferentialCase['setup']> = 'grpc',
): DifferentialCase {
  const all = 'fields' in requests ? [requests] : requests;
  return { name: `gRPC: ${name}`, rule: 'gRPC', setup, client: { requests: all }, streams, counters };
}

/** Calls of gRPC over HTTP/2, to the end. */
export const grpcCases: readonly DifferentialCase[] = [
  one('a unary call', call, [ends({ 'grpc-status': '0' })], {
    ...answered,
    ...callCounters(0),
    [`${prefix}.request_message_count`]: 1,
    [`${prefix}.response_message_count`]: 1,
  }),
  one(
    'two messages each way, and trailers of the caller',
    { ...call, body: message('one') + message(''), trailers: { 'x-sum': '1' } },
    [ends({ 'grpc-status': '0', 'x-other': '1' }, message('one') + message('two'))],
    {
      ...answered,
      ...callCounters(0),
      [`${prefix}.request_message_count`]: 2,
      [`${prefix}.response_message_count`]: 2,
    },
  ),
  one('a call without a message', { fields: call.fields }, [ends({ 'grpc-status': '0' }, '')], {
    ...answered,
    ...callCounters(0),
    [`${prefix}.request_message_count`]: 0,
    [`${prefix}.response_message_count`]: 0,
  }),
  one('an error in the trailers', call, [ends({ 'grpc-status': '5', 'grpc-message': 'not%20there' })], {
    ...answered,
    ...callCounters(5),
    'http.in.downstream_rq_4xx': 0,
  }),
  one('an error in the head', call, [endsAtOnce({ 'grpc-status': '7', 'grpc-message': 'no' })], {
    ...answered,
    ...callCounters(7),
    [`${prefix}.response_message_count`]: 0,
  }),
  one('no status at all', call, [{ fields: head, body: message('x') }], { ...answered, ...uncounted }),
  one('a page for an answer', call, [{ fields: { ':status': '503', 'x-upstream': 'yes' }, body: '<p>' }], {
    'http.in.downstream_rq_5xx': 1,
    'cluster.be.upstream_rq_503': 1,
    ...uncounted,
  }),
  one('a stream that is cut off before the response', call, [{ reset: constants.NGHTTP2_INTERNAL_ERROR }], {
    'http.in.downstream_rq_2xx': 1,
    'cluster.be.upstream_rq_rx_reset': 1,
    'cluster.be.upstream_rq_503': 1,
  }),
  one(
    'a stream that is cut off in the response',
    call,
    [{ fields: head, body: message('x'), reset: constants.NGHTTP2_INTERNAL_ERROR }],
    { 'cluster.be.upstream_rq_rx_reset': 1, 'http.in.downstream_rq_tx_reset': 1 },
  ),
  one(
    'a content type with a suffix',
    withFields({ 'content-type': 'application/grpc+proto' }),
    [ends({ 'grpc-status': '0' })],
    {
      ...answered,
      ...callCounters(0),
    },
  ),
  one(
    'a content type with a parameter',
    withFields({ 'content-type': 'application/grpc; x=y' }),
    [ends({ 'grpc-status': '0' })],
    {
      ...answered,
      ...uncounted,
    },
  ),
  one('a call that policy denies', withFields({ 'x-deny': '1' }), [], {
    ...refused,
    'http.in.rbac.denied': 1,
    ...uncounted,
  }),
  one(
    'a call without a route',
    call,
    [],
    { ...refused, 'http.in.no_route': 1, ...uncounted },
    'grpc-no-route',
  ),
  one(
    'a call to a cluster that there is not',
    call,
    [],
    { ...refused, 'http.in.no_cluster': 1 },
    'grpc-no-cluster',
  ),
  one(
    'a call to a cluster without endpoints',
    call,
    [],
    { ...refused, 'cluster.be.upstream_cx_none_healthy': 1 },
    'grpc-no-endpoint',
  ),
  one(
    'a call to an upstream that is not there',
    call,
    [],
    {
      'http.in.downstream_rq_2xx': 1,
      'cluster.be.upstream_cx_connect_fail': 1,
      'cluster.be.upstream_rq_503': 1,
    },
    'grpc-down',
  ),
  one(
    'a call that takes longer than its route allows',
    call,
    [{}],
    { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_timeout': 1, 'cluster.be.upstream_rq_504': 1 },
    'grpc-timeout',
  ),
  one(
    'a call that takes longer than its caller waits',
    withFields({ 'grpc-timeout': '200m' }),
    [{}],
    { 'http.in.downstream_rq_max_duration_reached': 1, 'http.in.downstream_rq_2xx': 1 },
    'grpc-deadline',
  ),
  one(
    'a status that is tried again',
    call,
    [endsAtOnce({ 'grpc-status': '14' }), ends({ 'grpc-status': '0' })],
    {
      'cluster.be.upstream_rq_total': 2,
      'cluster.be.upstream_rq_retry': 1,
      'cluster.be.upstream_rq_retry_success': 1,
      ...callCounters(0),
    },
    'grpc-retries',
  ),
  one(
    'a status that is not tried again',
    call,
    [endsAtOnce({ 'grpc-status': '13' })],
    { 'cluster.be.upstream_rq_total': 1, 'cluster.be.upstream_rq_retry': 0, ...callCounters(13) },
    'grpc-retries',
  ),
  one(
    'a status in trailers is not tried again',
    call,
    [ends({ 'grpc-status': '14' })],
    { 'cluster.be.upstream_rq_total': 1, 'cluster.be.upstream_rq_retry': 0, ...callCounters(14) },
    'grpc-retries',
  ),
  one(
    'a status that is tried again in vain',
    call,
    [endsAtOnce({ 'grpc-status': '1' })],
    {
      'cluster.be.upstream_rq_total': 2,
      'cluster.be.upstream_rq_retry_limit_exceeded': 1,
      ...callCounters(1),
    },
    'grpc-retries',
  ),
];
