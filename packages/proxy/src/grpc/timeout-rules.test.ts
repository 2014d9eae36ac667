// The figures are those that Envoy 1.40 sends on and waits for, but where a test says otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGrpcTimeout } from './timeout-header.ts';
import {
  type GrpcTimeoutRules,
  forwardedTimeout,
  responseTimeoutMs,
  streamLimitMs,
} from './timeout-rules.ts';

const routeTimeoutMs = 3000;

interface Outcome {
  readonly timeoutMs: number;
  readonly limitMs: number;
  readonly forwarded: string;
}

/** What becomes of a call; `callerMs` is the caller's `x-envoy-upstream-rq-timeout-ms`, `limitMs` the route's duration. */
function decide(
  rules: GrpcTimeoutRules | null,
  header: string,
  { isGrpc = true, callerMs = -1, durationMs = 0 } = {},
): Outcome {
  const deadlineMs = parseGrpcTimeout(header);
  const ofRoute = rules?.kind === 'stream' ? 0 : routeTimeoutMs;
  const timeoutMs = callerMs >= 0 ? callerMs : responseTimeoutMs(rules, ofRoute, isGrpc, deadlineMs);
  const limitMs = streamLimitMs(rules, durationMs, deadlineMs);
  return { timeoutMs, limitMs, forwarded: forwardedTimeout(rules, isGrpc, deadlineMs, timeoutMs, limitMs) };
}

function response(maxMs: number, offsetMs = 0): GrpcTimeoutRules {
  return { kind: 'response', maxMs, offsetMs };
}

function stream(maxMs: number, offsetMs = 0): GrpcTimeoutRules {
  return { kind: 'stream', maxMs, offsetMs };
}

test('a route that says nothing of it neither reads nor changes it', () => {
  for (const header of ['', '1S', '0S', '12x']) {
    assert.deepEqual(decide(null, header), { timeoutMs: 3000, limitMs: -1, forwarded: '' });
  }
  assert.equal(decide(null, '1S', { durationMs: 1500 }).limitMs, 1500);
});

test('max_grpc_timeout caps the caller’s timeout, and is it where the caller has none', () => {
  const rules = response(2000);
  const cases: readonly [string, number][] = [
    ['', 2000],
    ['12x', 2000],
    ['0S', 2000],
    ['1S', 1000],
    ['300m', 300],
    ['9S', 2000],
  ];
  for (const [header, timeoutMs] of cases) {
    assert.deepEqual(decide(rules, header), { timeoutMs, limitMs: -1, forwarded: `${timeoutMs}m` }, header);
  }
});

test('max_grpc_timeout 0 takes the caller’s timeout as it is, and none for none', () => {
  assert.deepEqual(decide(response(0), '9S'), { timeoutMs: 9000, limitMs: -1, forwarded: '9000m' });
  for (const header of ['', '0S', '12x']) {
    assert.deepEqual(decide(response(0), header), { timeoutMs: 0, limitMs: -1, forwarded: '' }, header);
  }
});

test('grpc_timeout_offset is taken off what is longer than it', () => {
  const rules = response(2000, 500);
  assert.equal(decide(rules, '1S').timeoutMs, 500);
  assert.equal(decide(rules, '501m').timeoutMs, 1);
  assert.equal(decide(rules, '500m').timeoutMs, 500);
  assert.equal(decide(rules, '300m').timeoutMs, 300);
  assert.equal(decide(rules, '9S').timeoutMs, 2000);
});

test('max_grpc_timeout is for gRPC only', () => {
  const html = { isGrpc: false };
  assert.deepEqual(decide(response(2000), '1S', html), { timeoutMs: 3000, limitMs: -1, forwarded: '' });
});

test('a timeout that the caller sets by Envoy’s header is what the next hop is told', () => {
  assert.equal(decide(response(2000), '300m', { callerMs: 600 }).forwarded, '600m');
  assert.equal(decide(response(2000), '9S', { callerMs: 0 }).forwarded, '');
});

test('grpc_timeout_header_max limits the stream by the caller’s timeout', () => {
  const cases: readonly [string, number][] = [
    ['1S', 1000],
    ['300m', 300],
    ['9S', 2000],
    ['0S', 0],
  ];
  for (const [header, limitMs] of cases) {
    assert.deepEqual(
      decide(stream(2000), header),
      { timeoutMs: 0, limitMs, forwarded: `${limitMs}m` },
      header,
    );
  }
  assert.deepEqual(decide(stream(0), '9S'), { timeoutMs: 0, limitMs: 9000, forwarded: '9000m' });
});

test('without a timeout of the caller the duration of route or listener limits the stream, and is passed on', () => {
  for (const header of ['', '12x']) {
    assert.deepEqual(decide(stream(2000), header), { timeoutMs: 0, limitMs: -1, forwarded: '' });
    const limited = { timeoutMs: 0, limitMs: 5000, forwarded: '5000m' };
    assert.deepEqual(decide(stream(2000), header, { durationMs: 5000 }), limited);
    assert.deepEqual(decide(stream(-1), header, { durationMs: 5000 }), limited);
  }
  assert.equal(decide(stream(2000), '9S', { durationMs: 1500 }).limitMs, 2000);
});

test('grpc_timeout_header_offset may leave nothing', () => {
  const rules = stream(2000, 500);
  assert.equal(decide(rules, '1S').limitMs, 500);
  assert.equal(decide(rules, '9S').limitMs, 1500);
  assert.deepEqual(decide(rules, '300m'), { timeoutMs: 0, limitMs: 0, forwarded: '0m' });
});

test('grpc_timeout_header_max limits whatever sends the field, and rewrites it for gRPC only', () => {
  const html = { isGrpc: false, durationMs: 5000 };
  assert.deepEqual(decide(stream(2000), '300m', html), { timeoutMs: 0, limitMs: 300, forwarded: '' });
});

test('other than with Envoy, a duration of the route does not lengthen the deadline that the next hop is told', () => {
  assert.deepEqual(decide(stream(-1), '300m', { durationMs: 5000 }), {
    timeoutMs: 0,
    limitMs: 5000,
    forwarded: '',
  });
  assert.equal(decide(stream(-1), '9S', { durationMs: 5000 }).forwarded, '5000m');
  assert.equal(decide(stream(-1), '300m').forwarded, '');
});
