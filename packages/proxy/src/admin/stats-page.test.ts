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

test('usedonly leaves out what never counted, and keeps gauges that have come back to 0', () => {
  const used = families();
  const registry = new MetricRegistry();
  registry
    .scope()
    .gauge('envoy_cluster_upstream_rq_active', 'Active.', { envoy_cluster_name: 'be' }).value = 0;
  const all = [...used.filter(({ name }) => !name.endsWith('active')), ...registry.collect()];
  const askUsed = (query: string): string => text(statsPage(all, new URLSearchParams(query)));
  assert.equal(ask('usedonly&type=Gauges'), '');
  assert.deepEqual(
    askUsed('usedonly')
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

test('histograms are shown in each of Envoy’s ways', () => {
  const name = 'cluster.be.upstream_rq_time';
  const one = `filter=${name}$`;
  assert.equal(ask(`${one}&histogram_buckets=disjoint`), `${name}: B1(nan,0) B2(nan,1)\n`);
  assert.match(
    ask(`${one}&histogram_buckets=detailed`),
    /^cluster\.be\.upstream_rq_time:\n {2}totals=1,1:1\n {2}intervals=\n {2}summary=P0\(nan,1\) .*P100\(nan,2\)\n$/,
  );
  const json = (mode: string): unknown =>
    (JSON.parse(ask(`${one}&format=json&histogram_buckets=${mode}`)) as { stats: unknown[] }).stats[0];
  assert.deepEqual(json('cumulative'), {
    histograms: [
      {
        name,
        buckets: [
          { upper_bound: 1, interval: null, cumulative: 0 },
          { upper_bound: 2, interval: null, cumulative: 1 },
        ],
      },
    ],
  });
  const { histograms } = json('detailed') as {
    histograms: { supported_percentiles: number[]; details: { totals: unknown; percentiles: unknown[] }[] };
  };
  assert.deepEqual(histograms.details[0]?.totals, [{ lower_bound: 1, width: 1, count: 1 }]);
  assert.equal(histograms.details[0].percentiles.length, histograms.supported_percentiles.length);
  assert.throws(() => ask('histogram_buckets=none'), /is none of summary, cumulative, disjoint, detailed/);
});

test("Prometheus's text can have summaries in place of buckets", () => {
  const summary = askPrometheus('filter=cluster.be.upstream_rq_time$&histogram_buckets=summary');
  assert.match(summary, /^# TYPE envoy_cluster_upstream_rq_time summary$/m);
  assert.match(summary, /^envoy_cluster_upstream_rq_time\{envoy_cluster_name="be",quantile="0.25"\} 1.25$/m);
  assert.match(summary, /_sum\{envoy_cluster_name="be"\} 1.5\n.*_count\{envoy_cluster_name="be"\} 1\n$/);
});
