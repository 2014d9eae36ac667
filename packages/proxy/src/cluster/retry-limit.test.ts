import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gauge } from '@heddle/telemetry';
import { type CircuitBreakerLimits, CircuitBreaker, defaultCircuitBreakerLimits } from './circuit-breaker.ts';

function breaker(limits: Partial<CircuitBreakerLimits>) {
  const gauge = () => new Gauge();
  const gauges = {
    connectionsOpen: gauge(),
    pendingOpen: gauge(),
    requestsOpen: gauge(),
    retriesOpen: gauge(),
    remainingConnections: null,
    remainingPending: null,
    remainingRequests: null,
    remainingRetries: gauge(),
  };
  const made = new CircuitBreaker({ ...defaultCircuitBreakerLimits, ...limits }, gauges);
  const { retries, requests, pendingRequests } = made;
  return { retries, requests, pendingRequests, gauges };
}

test('as many retries as configured are taken at once, and the gauges say so', () => {
  const { retries, gauges } = breaker({ maxRetries: 2 });
  const shown = () => [retries.takesMore, gauges.retriesOpen.value, gauges.remainingRetries.value];
  assert.deepEqual(shown(), [true, 0, 2]);
  retries.add();
  assert.deepEqual(shown(), [true, 0, 1]);
  retries.add();
  assert.deepEqual(shown(), [false, 1, 0]);
  retries.remove();
  assert.deepEqual(shown(), [true, 0, 1]);
});

test('none are taken where none is allowed', () => {
  const { retries, gauges } = breaker({ maxRetries: 0 });
  assert.equal(retries.takesMore, false);
  assert.equal(gauges.retriesOpen.value, 1);
});

test('a budget is a share of the requests, those that wait too, or its minimum', () => {
  const { retries, requests, pendingRequests } = breaker({
    maxRetries: 0,
    retryBudget: { percent: 25, minConcurrency: 1 },
  });
  assert.equal(retries.takesMore, true);
  retries.add();
  assert.equal(retries.takesMore, false);
  for (let i = 0; i < 7; i++) requests.add();
  assert.equal(retries.takesMore, false, '25 % of 7 are 1');
  pendingRequests.add();
  assert.equal(retries.takesMore, true);
});
