import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import type { AdminResponse } from './admin-message.ts';
import { prometheusPage, statsPage } from './stats-page.ts';

function families() {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  const be = { envoy_cluster_name: 'be' };
  scope.counter('envoy_cluster_upstream_rq_total', 'Requests.', be).value = 3;
  scope.counter('envoy_cluster_upstream_rq_timeout', 'Timeouts.', be);
  scope.gauge('envoy_cluster_upstream_rq_active', 'Active.', be);
  scope.counter('envoy_cluster_upstream_rq_total', 'Requests.', { envoy_cluster_name: 'other' });
  scope.histogram('envoy_cluster_upstream_rq_time', 'Time.', be, [1, 2]).observe(1.5);
  scope.histogram('envoy_cluster_upstream_cx_connect_ms', 'Time.', be, [1, 2]);
  return registry.collect();
}

function text({ body }: AdminResponse): string {
  return typeof body === 'string' ? body : [...body].join('');
}

const ask = (query: string): string => text(statsPage(families(), new URLSearchParams(query)));
const askPrometheus = (query: string): string => text(prometheusPage(families(), new URLSearchParams(query)));

test('lists counters and gauges by dotted name, then histograms', () => {
  assert.equal(
    ask(''),
    'cluster.be.upstream_rq_active: 0\ncluster.be.upstream_rq_timeout: 0\ncluster.be.upstream_rq_total: 3\n' +
      'cluster.other.upstream_rq_total: 0\n' +
      'cluster.be.upstream_cx_connect_ms: No recorded values\n' +
      'cluster.be.upstream_rq_time: P0(nan,1) P25(nan,1.25) P50(nan,1.5) P75(nan,1.75) P90(nan,1.9) P95(nan,1.95) ' +
      'P99(nan,1.99) P99.5(nan,1.995) P99.9(nan,1.999) P100(nan,2)\n',
  );
});

test('usedonly leaves out what never counted, and keeps gauges, which may have come back to 0', () => {
  assert.deepEqual(
    ask('usedonly')
      .split('\n')
      .map((line) => line.split(':')[0]),
    ['cluster.be.upstream_rq_active', 'cluster.be.upstream_rq_total', 'cluster.be.upstream_rq_time', ''],
  );
});

test('filter is tried anywhere in the dotted name, and can be turned round', () => {
  assert.equal(
    ask('filter=rq_t.*l$'),
    'cluster.be.upstream_rq_total: 3\ncluster.other.upstream_rq_total: 0\n',
  );
  assert.equal(
    ask('filter=be.*(total|time|ms|out)$&invert_filter'),
    'cluster.be.upstream_rq_active: 0\ncluster.other.upstream_rq_total: 0\n',
  );
  assert.throws(() => ask('filter=['), /Invalid filter/);
});

test('a filter that would backtrack for ever is refused or answers at once', () => {
  assert.throws(() => ask('filter=(a)\\1'), /Invalid filter/);
  assert.equal(ask(`filter=${encodeURIComponent('^([a-z._]+)+!$')}`), '');
});

test('type leaves one kind', () => {
  assert.equal(ask('type=Gauges'), 'cluster.be.upstream_rq_active: 0\n');
  assert.equal(
    ask('type=histograms&usedonly&histogram_buckets=cumulative'),
    'cluster.be.upstream_rq_time: B1(nan,0) B2(nan,1)\n',
  );
  assert.equal(ask('type=TextReadouts'), '');
  assert.throws(() => ask('type=x'), /type=x is none of All, Counters/);
});

test('format=json has the numbers and the quantiles', () => {
  const parsed = JSON.parse(ask('format=json&filter=be.*time')) as { stats: unknown[] };
  assert.deepEqual(parsed.stats[0], { name: 'cluster.be.upstream_rq_timeout', value: 0 });
  assert.deepEqual(Object.keys(parsed.stats[1] as object), ['histograms']);
});

test("Prometheus's text takes the same filter, on dotted names", () => {
  const expected =
    '# HELP envoy_cluster_upstream_rq_total Requests.\n# TYPE envoy_cluster_upstream_rq_total counter\n' +
    'envoy_cluster_upstream_rq_total{envoy_cluster_name="be"} 3\n';
  assert.equal(askPrometheus('usedonly&filter=cluster.be.upstream_rq_total'), expected);
  assert.equal(ask('format=prometheus&usedonly&filter=cluster.be.upstream_rq_total'), expected);
});
