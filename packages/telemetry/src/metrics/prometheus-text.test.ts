import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from './metric-registry.ts';
import { formatPrometheus } from './prometheus-text.ts';

interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: string;
}

/** A strict reader of the text format 0.0.4: anything that is not exactly in it throws. */
function parse(text: string): { samples: Sample[]; types: Map<string, string>; help: Map<string, string> } {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line must end');
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (comment !== null) {
      const target = comment[1] === 'HELP' ? help : types;
      assert.ok(!target.has(comment[2]!), `second ${comment[1]} of ${comment[2]}`);
      target.set(comment[2]!, comment[3]!);
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(sample !== null, `no sample: ${line}`);
    assert.match(sample[3]!, /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/);
    samples.push({ name: sample[1]!, labels: parseLabels(sample[2] ?? ''), value: sample[3]! });
  }
  return { samples, types, help };
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (label.lastIndex < text.length) {
    const match = label.exec(text);
    assert.ok(match !== null, `no label list: ${text}`);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

test('renders counters and gauges with help, type and labels', () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  scope.counter('requests_total', 'Requests.', { code: '200' }).value = 41;
  scope.gauge('temperature', 'In degrees.').value = -1.5;
  assert.equal(
    formatPrometheus(registry.collect()),
    '# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{code="200"} 41\n' +
      '# HELP temperature In degrees.\n# TYPE temperature gauge\ntemperature -1.5\n',
  );
});

test('a strict reader gets back whatever values, labels and help hold', () => {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  const nasty = 'a"b\\c\nd{e}=",f';
  scope.gauge('g', 'Help \\ with\na line.', { nasty, plain: 'x' }).value = Infinity;
  scope.gauge('g', 'Help \\ with\na line.', { nasty: '', plain: '' }).value = 1e21;
  const { samples, types, help } = parse(formatPrometheus(registry.collect()));
  assert.equal(types.get('g'), 'gauge');
  assert.equal(help.get('g'), 'Help \\\\ with\\na line.');
  assert.deepEqual(samples, [
    { name: 'g', labels: { nasty, plain: 'x' }, value: '+Inf' },
    { name: 'g', labels: { nasty: '', plain: '' }, value: '1e+21' },
  ]);
});

test('renders a histogram with cumulative buckets that end in +Inf, sum and count', () => {
  const registry = new MetricRegistry();
  const histogram = registry.scope().histogram('h', 'H.', { of: 'x' }, [0.5, 2]);
  for (const value of [0.1, 0.2, 1, 100]) histogram.observe(value);
  const { samples } = parse(formatPrometheus(registry.collect()));
  assert.deepEqual(samples, [
    { name: 'h_bucket', labels: { of: 'x', le: '0.5' }, value: '2' },
    { name: 'h_bucket', labels: { of: 'x', le: '2' }, value: '3' },
    { name: 'h_bucket', labels: { of: 'x', le: '+Inf' }, value: '4' },
    { name: 'h_sum', labels: { of: 'x' }, value: '101.3' },
    { name: 'h_count', labels: { of: 'x' }, value: '4' },
  ]);
});

test('a histogram without labels has le alone', () => {
  const registry = new MetricRegistry();
  registry.scope().histogram('h', 'H.', {}, [1]);
  assert.deepEqual(parse(formatPrometheus(registry.collect())).samples[0], {
    name: 'h_bucket',
    labels: { le: '1' },
    value: '0',
  });
});
