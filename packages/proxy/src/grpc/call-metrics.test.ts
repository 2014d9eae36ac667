import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { dottedName } from '../admin/stat-names.ts';
import { CallMetrics, type GrpcStatsRules } from './call-metrics.ts';

const all: GrpcStatsRules = { methods: 'all', timesUpstream: false, replacesDots: false };

function setUp(protocol: 'grpc' | 'grpc_web' = 'grpc') {
  const registry = new MetricRegistry();
  const metrics = new CallMetrics(registry.scope(), { envoy_cluster_name: 'be' }, protocol);
  /** What isn't 0, under Envoy's dotted names. */
  const counted = (): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const family of registry.collect()) {
      for (const sample of family.samples) {
        const value = 'value' in sample ? sample.value : sample.count;
        if (value > 0) found[dottedName(family.name, sample.labels)] = value;
      }
    }
    return found;
  };
  return { registry, metrics, counted };
}

test('calls are counted by method and status under Envoy’s names', () => {
  const { metrics, counted } = setUp();
  const calls = metrics.of('/a.b.Svc/One?q=1', all)!;
  assert.equal(metrics.of('//a.b.Svc/One', all), calls);
  calls.countStatus('0');
  calls.countStatus('5');
  calls.requestMessages.value += 3;
  calls.responseMessages.value += 2;
  calls.observeUpstreamTime(12);
  const name = 'cluster.be.grpc.a.b.Svc.One';
  assert.deepEqual(counted(), {
    [`${name}.0`]: 1,
    [`${name}.5`]: 1,
    [`${name}.success`]: 1,
    [`${name}.failure`]: 1,
    [`${name}.total`]: 2,
    [`${name}.request_message_count`]: 3,
    [`${name}.response_message_count`]: 2,
    [`${name}.upstream_rq_time`]: 1,
  });
});

test('the labels are those of Envoy, with the whole name of the service', () => {
  const { registry, metrics } = setUp();
  metrics.of('/a.b.Svc/One', all)!.countStatus('0');
  const samples = registry.collect().find((family) => family.name === 'envoy_cluster_grpc_0')!.samples;
  assert.deepEqual(Object.fromEntries(samples[0]!.labels), {
    envoy_cluster_name: 'be',
    envoy_grpc_bridge_method: 'One',
    envoy_grpc_bridge_service: 'a.b.Svc',
  });
});

test('methods that are not listed share the cluster’s series', () => {
  const { metrics, counted } = setUp();
  const rules: GrpcStatsRules = { ...all, methods: new Set(['/a.b.Svc/One']) };
  metrics.of('/a.b.Svc/One', rules)!.countStatus('0');
  metrics.of('/a.b.Svc/Two', rules)!.countStatus('0');
  metrics.of('/c.Svc/One', rules)!.countStatus('14');
  assert.deepEqual(counted(), {
    'cluster.be.grpc.a.b.Svc.One.0': 1,
    'cluster.be.grpc.a.b.Svc.One.success': 1,
    'cluster.be.grpc.a.b.Svc.One.total': 1,
    'cluster.be.grpc.0': 1,
    'cluster.be.grpc.14': 1,
    'cluster.be.grpc.success': 1,
    'cluster.be.grpc.failure': 1,
    'cluster.be.grpc.total': 2,
  });
});

test('dots of the service’s name are replaced where that is asked', () => {
  const { metrics, counted } = setUp();
  metrics.of('/a.b.Svc/O.ne', { ...all, replacesDots: true })!.requestMessages.value++;
  assert.deepEqual(counted(), { 'cluster.be.grpc.a_b_Svc.O.ne.request_message_count': 1 });
});

test('gRPC-Web has series of its own', () => {
  const { metrics, counted } = setUp('grpc_web');
  metrics.of('/a.B/C', all)!.countStatus('0');
  assert.deepEqual(Object.keys(counted()).toSorted(), [
    'cluster.be.grpc-web.a.B.C.0',
    'cluster.be.grpc-web.a.B.C.success',
    'cluster.be.grpc-web.a.B.C.total',
  ]);
});

test('paths that name no method are not counted', () => {
  const { metrics, counted } = setUp();
  assert.equal(metrics.of('/one', all), null);
  assert.equal(metrics.of('/a/b/c', { ...all, methods: new Set() }), null);
  assert.deepEqual(counted(), {});
});

test('statuses that gRPC doesn’t define make no series', () => {
  const { metrics, counted } = setUp();
  const calls = metrics.of('/a.S/M', all)!;
  for (const status of ['77', 'abc', '99999999999999', '4294967295']) calls.countStatus(status);
  assert.deepEqual(counted(), {
    'cluster.be.grpc.a.S.M.2': 4,
    'cluster.be.grpc.a.S.M.failure': 4,
    'cluster.be.grpc.a.S.M.total': 4,
  });
});

test('invented methods beyond a number share the cluster’s series', () => {
  const { registry, metrics, counted } = setUp();
  for (let i = 0; i < 5000; i++) {
    metrics.of(`/invented.Service/Method${i}`, { ...all, replacesDots: i % 2 === 0 })!.countStatus('12');
  }
  assert.equal(counted()['cluster.be.grpc.12'], 4500);
  const series = registry.collect().reduce((sum, family) => sum + family.samples.length, 0);
  assert.ok(series <= 501 * 6, `${series} series`);
});
