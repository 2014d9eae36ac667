import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from './metric-registry.ts';

test('gives the same handle for the same name and labels, whatever their order and scope', () => {
  const registry = new MetricRegistry();
  const a = registry.scope().counter('requests_total', 'Requests.', { x: '1', y: '2' });
  const b = registry.scope().counter('requests_total', 'Requests.', { y: '2', x: '1' });
  const other = registry.scope().counter('requests_total', 'Requests.', { x: '1', y: '3' });
  a.value++;
  assert.equal(b, a);
  assert.notEqual(other, a);
});

test('a series leaves when its last owner closes, and a family with its last series', () => {
  const registry = new MetricRegistry();
  const first = registry.scope();
  const second = registry.scope();
  first.counter('a_total', 'A.').value = 3;
  second.counter('a_total', 'A.');
  first.gauge('b', 'B.', { of: 'first' });
  first.close();
  first.close();
  assert.deepEqual(
    registry.collect().map((family) => family.name),
    ['a_total'],
  );
  second.close();
  assert.deepEqual(registry.collect(), []);
});

test('a series that comes back starts at zero', () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  scope.counter('a_total', 'A.').value = 3;
  scope.close();
  assert.equal(registry.scope().counter('a_total', 'A.').value, 0);
});

test('a scope that asks twice holds a series once', () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  scope.gauge('g', 'G.');
  scope.gauge('g', 'G.');
  scope.close();
  assert.deepEqual(registry.collect(), []);
});

test('refuses a name that is used for another type, and names that Prometheus cannot read', () => {
  const scope = new MetricRegistry().scope();
  scope.counter('a_total', 'A.');
  assert.throws(() => scope.gauge('a_total', 'A.'), /is a counter already/);
  assert.throws(() => scope.counter('a-b', 'A.'), /metric name a-b/);
  assert.throws(() => scope.counter('c', 'C.', { 'x.y': '1' }), /label name x\.y/);
});

test('counters can be started again, gauges and histograms are what they are', () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  scope.counter('a_total', 'A.').value = 3;
  scope.gauge('g', 'G.').value = 2;
  scope.histogram('h', 'H.', {}, [1]).observe(0.5);
  registry.resetCounters();
  assert.deepEqual(
    registry.collect().map(({ samples: [sample] }) => ('value' in sample! ? sample.value : sample?.count)),
    [0, 2, 1],
  );
});

test('what was collected does not change afterwards', () => {
  const registry = new MetricRegistry();
  const histogram = registry.scope().histogram('h', 'H.', {}, [1]);
  histogram.observe(0.5);
  const [family] = registry.collect();
  histogram.observe(0.5);
  assert.equal(family?.type, 'histogram');
  assert.deepEqual([...family.samples[0]!.counts], [1, 0]);
  assert.equal(family.samples[0]!.count, 1);
});
