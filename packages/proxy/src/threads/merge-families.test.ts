import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { mergeFamilies } from './merge-families.ts';

function thread(requests: number, members: number, ms: number) {
  const scope = new MetricRegistry();
  const owner = scope.scope();
  owner.counter('envoy_cluster_upstream_rq_total', 'R.', { envoy_cluster_name: 'a' }).value = requests;
  owner.gauge('envoy_cluster_upstream_rq_active', 'A.', { envoy_cluster_name: 'a' }).value = 1;
  owner.gauge('envoy_cluster_membership_total', 'M.', { envoy_cluster_name: 'a' }).value = members;
  owner.gauge('envoy_cluster_circuit_breakers_default_rq_open', 'O.', { envoy_cluster_name: 'a' }).value = 1;
  owner.histogram('envoy_cluster_upstream_rq_time', 'T.', {}, [1, 10]).observe(ms);
  owner.gauge('envoy_server_live', 'L.').value = 1;
  return scope.collect();
}

test('adds up what happened and what is open, and leaves alone what is the same everywhere', () => {
  const merged = mergeFamilies([thread(3, 2, 5), thread(4, 2, 20)], (name) =>
    name.startsWith('envoy_server_'),
  );
  const values = Object.fromEntries(
    merged.map(({ name, samples: [sample] }) => [name, 'value' in sample! ? sample.value : sample?.sum]),
  );
  assert.deepEqual(values, {
    envoy_cluster_circuit_breakers_default_rq_open: 1,
    envoy_cluster_membership_total: 2,
    envoy_cluster_upstream_rq_active: 2,
    envoy_cluster_upstream_rq_time: 25,
    envoy_cluster_upstream_rq_total: 7,
    envoy_server_live: 1,
  });
});

test('series that only one thread has are kept', () => {
  const other = new MetricRegistry();
  const labels = { envoy_cluster_name: 'b' };
  other.scope().counter('envoy_cluster_upstream_rq_total', 'R.', labels).value = 9;
  const merged = mergeFamilies([thread(3, 2, 5), other.collect()], () => false);
  const family = merged.find(({ name }) => name === 'envoy_cluster_upstream_rq_total');
  assert.deepEqual(
    family?.samples.map((sample) => ('value' in sample ? sample.value : null)),
    [3, 9],
  );
});
