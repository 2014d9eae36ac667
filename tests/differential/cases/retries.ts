import type { SetupName } from '../setups.ts';
import type { Answer, DifferentialCase } from '../support/case.ts';
import { plainAnswer } from '../support/upstream.ts';
import { answer, passed, request } from '../support/expectations.ts';

const nothing: Answer = { text: '', afterwards: 'close' };
const answering = (status: string, fields = ''): Answer => ({
  text: answer(status, `content-length: 1\r\n${fields}`, 'x'),
});

function down(name: string, setup: SetupName, counters: DifferentialCase['counters']): DifferentialCase {
  return { name, rule: 'retry_policy', setup, client: request('GET /'), counters };
}

function tried(
  name: string,
  upstream: readonly Answer[],
  counters: DifferentialCase['counters'],
  client: DifferentialCase['client'] = request('GET /'),
): DifferentialCase {
  return { name, rule: 'retry_policy', setup: 'retries', client, upstream, counters };
}

const again = {
  'http.in.downstream_rq_total': 1,
  'cluster.be.upstream_rq_total': 2,
  'cluster.be.upstream_rq_retry': 1,
  'cluster.be.upstream_rq_retry_backoff_exponential': 1,
  'cluster.be.upstream_rq_retry_success': 1,
  'cluster.be.upstream_rq_retry_limit_exceeded': 0,
} as const;
const notAgain = {
  'http.in.downstream_rq_total': 1,
  'cluster.be.upstream_rq_total': 1,
  'cluster.be.upstream_rq_retry': 0,
} as const;
const overflown = {
  'http.in.downstream_rq_5xx': 1,
  'cluster.be.upstream_cx_connect_fail': 1,
  'cluster.be.upstream_rq_retry': 0,
  'cluster.be.upstream_rq_retry_overflow': 1,
} as const;

/** Which requests are tried again, and how that is counted. */
export const retryCases: readonly DifferentialCase[] = [
  down('a connection that cannot be made is tried again', 'retries-connect', {
    'http.in.downstream_rq_5xx': 1,
    'cluster.be.upstream_cx_connect_fail': 3,
    'cluster.be.upstream_rq_pending_total': 3,
    'cluster.be.upstream_rq_pending_failure_eject': 3,
    'cluster.be.upstream_rq_retry': 2,
    'cluster.be.upstream_rq_retry_backoff_exponential': 2,
    'cluster.be.upstream_rq_retry_limit_exceeded': 1,
    'cluster.be.upstream_rq_retry_success': 0,
    'cluster.be.upstream_rq_5xx': 1,
  }),
  down('no retries are a limit that is exceeded at once', 'retries-connect-none', {
    'cluster.be.upstream_cx_connect_fail': 1,
    'cluster.be.upstream_rq_retry': 0,
    'cluster.be.upstream_rq_retry_limit_exceeded': 1,
  }),
  down('the circuit breaker lets nothing be tried again', 'retries-full', overflown),
  down('the budget lets nothing be tried again', 'retries-no-budget', overflown),
  {
    name: 'a request that was sent is not tried again for what comes before',
    rule: 'retry_policy',
    setup: 'retries-before',
    client: request('GET /'),
    upstream: [nothing, plainAnswer],
    counters: { ...notAgain, 'http.in.downstream_rq_5xx': 1 },
  },
  tried('a response at once is the only one', [plainAnswer], passed),
  tried('a connection that ends without an answer', [nothing, plainAnswer], again),
  tried('503 is a gateway error', [answering('503 Service Unavailable'), plainAnswer], {
    ...again,
    'cluster.be.retry.upstream_rq_503': 1,
    'cluster.be.retry.upstream_rq_5xx': 1,
    'cluster.be.retry.upstream_rq_completed': 1,
    'cluster.be.upstream_rq_5xx': 0,
    'cluster.be.upstream_rq_2xx': 1,
  }),
  tried('500 is none', [answering('500 Internal Server Error'), plainAnswer], notAgain),
  tried('409', [answering('409 Conflict'), plainAnswer], again),
  tried('a status of the list', [answering('418 Teapot'), plainAnswer], again),
  tried('a status that is not of the list', [answering('404 Not Found'), plainAnswer], notAgain),
  tried(
    'a rate limit answers',
    [answering('503 Service Unavailable', 'x-envoy-ratelimited: true\r\n'), plainAnswer],
    notAgain,
  ),
  tried('a retry that fails otherwise', [answering('503 Service Unavailable'), answering('404 Not Found')], {
    ...again,
    'http.in.downstream_rq_4xx': 1,
  }),
  tried('a retry that fails again', [answering('503 Service Unavailable')], {
    ...again,
    'cluster.be.upstream_rq_retry_success': 0,
    'cluster.be.upstream_rq_retry_limit_exceeded': 1,
    'cluster.be.upstream_rq_5xx': 1,
  }),
  tried(
    'a POST without a body',
    [nothing, plainAnswer],
    again,
    request('POST /', 'Host: a\r\nContent-Length: 0\r\n'),
  ),
  tried(
    'what a client says of tries',
    [nothing, plainAnswer],
    again,
    request('GET /', 'Host: a\r\nx-envoy-attempt-count: 7\r\n'),
  ),
  tried(
    'a response that breaks off',
    [{ text: answer('200 OK', 'content-length: 9\r\n', 'x'), afterwards: 'close' }],
    {
      'cluster.be.upstream_rq_total': 1,
      'cluster.be.upstream_rq_retry': 0,
    },
  ),
  tried(
    'a body',
    [nothing, plainAnswer],
    again,
    request('POST /', 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
  ),
  tried(
    'a chunked body',
    [answering('503 Service Unavailable'), plainAnswer],
    again,
    request('POST /', 'Host: a\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
  ),
  tried(
    'a body that is still coming',
    [{ text: answer('503 Service Unavailable', 'content-length: 1\r\n', 'x'), when: 'head' }, plainAnswer],
    again,
    [
      { send: request('POST /', 'Host: a\r\nContent-Length: 4\r\n', 'ab') },
      { upstreamHeads: 2 },
      { send: 'cd' },
      { responses: 1 },
    ],
  ),
  tried(
    'a body that is still coming when the connection ends',
    [{ text: '', when: 'head', afterwards: 'close' }, plainAnswer],
    again,
    [
      { send: request('POST /', 'Host: a\r\nContent-Length: 4\r\n', 'ab') },
      { upstreamHeads: 2 },
      { send: 'cd' },
      { responses: 1 },
    ],
  ),
  {
    name: 'a body larger than what is kept',
    rule: 'retry_policy',
    setup: 'retries-small',
    client: request('POST /', 'Host: a\r\nContent-Length: 9\r\n', 'abcdefghi'),
    upstream: [nothing, plainAnswer],
    counters: { ...notAgain, 'cluster.be.retry_or_shadow_abandoned': 1, 'http.in.downstream_rq_5xx': 1 },
  },
  {
    name: 'a body as large as what is kept',
    rule: 'retry_policy',
    setup: 'retries-small',
    client: request('POST /', 'Host: a\r\nContent-Length: 8\r\n', 'abcdefgh'),
    upstream: [nothing, plainAnswer],
    counters: { ...again, 'cluster.be.retry_or_shadow_abandoned': 0 },
  },
  {
    name: 'a body larger than what is kept and no failure',
    rule: 'retry_policy',
    setup: 'retries-small',
    client: request('POST /', 'Host: a\r\nContent-Length: 9\r\n', 'abcdefghi'),
    upstream: [plainAnswer],
    counters: { ...notAgain, 'cluster.be.retry_or_shadow_abandoned': 1 },
  },
  ...[1, 2, 3, 4, 5, 6].map((time): DifferentialCase => ({
    name: `a retry goes where the request has not been, time ${time}`,
    rule: 'retry_host_predicate',
    setup: 'retries-elsewhere',
    client: request('GET /'),
    counters: { 'http.in.downstream_rq_2xx': 1, 'cluster.be.upstream_rq_retry_limit_exceeded': 0 },
  })),
  {
    name: 'a try that takes too long',
    rule: 'per_try_timeout',
    setup: 'tries',
    client: request('PUT /', 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
    upstream: [{ text: '' }, plainAnswer],
    counters: { ...again, 'cluster.be.upstream_rq_per_try_timeout': 1, 'cluster.be.upstream_rq_timeout': 0 },
  },
  {
    name: 'a try that takes too long and is not repeated',
    rule: 'retriable_request_headers',
    setup: 'tries',
    client: request('GET /'),
    upstream: [{ text: '' }],
    counters: {
      ...notAgain,
      'cluster.be.upstream_rq_per_try_timeout': 1,
      'cluster.be.upstream_rq_retry_limit_exceeded': 0,
      'cluster.be.upstream_rq_504': 1,
    },
  },
  {
    name: 'a field of the response asks for another try',
    rule: 'retriable_headers',
    setup: 'tries',
    client: request('GET /', 'Host: a\r\nx-tried: 1\r\n'),
    upstream: [answering('200 OK', 'x-again: yes\r\n'), plainAnswer],
    counters: { ...again, 'cluster.be.retry.upstream_rq_200': 1 },
  },
  {
    name: 'a response says when to come again',
    rule: 'rate_limited_retry_back_off',
    setup: 'tries',
    client: request('PUT /', 'Host: a\r\nContent-Length: 0\r\n'),
    upstream: [answering('503 Service Unavailable', 'retry-after: 1\r\n'), plainAnswer],
    counters: {
      'cluster.be.upstream_rq_retry': 1,
      'cluster.be.upstream_rq_retry_backoff_exponential': 0,
      'cluster.be.upstream_rq_retry_backoff_ratelimited': 1,
      'cluster.be.upstream_rq_retry_success': 1,
    },
  },
  {
    name: 'a response says to come again in a year',
    rule: 'rate_limited_retry_back_off',
    setup: 'tries',
    client: request('PUT /', 'Host: a\r\nContent-Length: 0\r\n'),
    upstream: [answering('503 Service Unavailable', 'retry-after: 31536000\r\n'), plainAnswer],
    counters: again,
  },
  {
    name: 'a try that stands still',
    rule: 'per_try_idle_timeout',
    setup: 'tries-idle',
    client: request('GET /'),
    upstream: [{ text: '' }],
    counters: {
      'cluster.be.upstream_rq_per_try_idle_timeout': 1,
      'cluster.be.upstream_rq_per_try_timeout': 0,
      'cluster.be.upstream_rq_504': 1,
    },
  },
  {
    name: 'a try that stands still in the middle of its response',
    rule: 'per_try_idle_timeout',
    setup: 'tries-idle',
    client: request('GET /'),
    upstream: [{ text: answer('200 OK', 'content-length: 9\r\n', 'x') }],
    counters: {
      'cluster.be.upstream_rq_per_try_idle_timeout': 1,
      'cluster.be.upstream_rq_504': 0,
      'http.in.downstream_rq_tx_reset': 1,
    },
  },
];
