import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { allocateCounts, SharedCounts } from '../threads/shared-counts.ts';
import { CircuitBreaker, type CircuitBreakerLimits, defaultCircuitBreakerLimits } from './circuit-breaker.ts';
import { ClusterMetrics } from './cluster-metrics.ts';

const limits: CircuitBreakerLimits = {
  ...defaultCircuitBreakerLimits,
  maxRequests: 3,
  maxRetries: 1,
  tracksRemaining: true,
};

/** The breaker of one cluster on two threads, with the metrics of each. */
function twoThreads() {
  const memory = allocateCounts(2);
  return [0, 1].map((thread) => {
    const metrics = new ClusterMetrics(new MetricRegistry(), 'c');
    const gauges = metrics.circuitBreaker('default', true);
    const counts = new SharedCounts(memory, 2, thread);
    const open = (of = limits): CircuitBreaker =>
      new CircuitBreaker(of, gauges, { counts, name: 'cluster c default' });
    return { gauges, open, breaker: open() };
  });
}

test('threads count against one limit, and gauges show what all of them hold', () => {
  const [first, second] = twoThreads();
  first!.breaker.requests.add();
  second!.breaker.requests.add();
  second!.breaker.requests.add();
  assert.deepEqual([first!.breaker.requests.takesMore, second!.breaker.requests.takesMore], [false, false]);
  assert.equal(first!.breaker.connections.takesMore, true);
  first!.breaker.show();
  assert.deepEqual([first!.gauges.requestsOpen.value, first!.gauges.remainingRequests!.value], [1, 0]);
  second!.breaker.requests.remove();
  assert.equal(first!.breaker.requests.takesMore, true);
  for (const { breaker, gauges } of [first!, second!]) {
    breaker.show();
    assert.deepEqual([gauges.requestsOpen.value, gauges.remainingRequests!.value], [0, 1]);
  }
  first!.breaker.retries.add();
  assert.equal(second!.breaker.retries.takesMore, false);
});

test('requests that outlive their cluster count for the one that takes its place', () => {
  const [first, second] = twoThreads();
  const old = first!.breaker;
  old.requests.add();
  old.requests.add();
  const next = first!.open({ ...limits, maxRequests: 2 });
  old.close();
  assert.equal(next.requests.takesMore, false);
  old.requests.remove();
  assert.equal(next.requests.takesMore, true);
  old.requests.remove();
  next.close();
  second!.breaker.close();
  assert.equal(second!.open().requests.current, 0);
});
