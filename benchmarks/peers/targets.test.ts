import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, renderTable, summarize } from './figures.ts';
import { describeVerdict, judge, targets } from './targets.ts';

const columns = [{ key: 'cpuUs', title: 'CPU µs/req', digits: 1 }];

function sample(peer: string, cpuUs: number): { peer: string; values: Record<string, number> } {
  return { peer, values: { cpuUs } };
}

test('the median of an even number is the lower of the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2);
  assert.ok(Number.isNaN(median([])));
});

test('the table compares medians, Heddle to each', () => {
  const samples = [sample('nginx', 20), sample('heddle', 14), sample('nginx', 10), sample('heddle', 12)];
  samples.push(sample('nginx', 16), sample('heddle', 30));
  const figures = summarize(samples, columns);
  assert.equal(figures.get('nginx')!['cpuUs'], 16);
  assert.match(renderTable(figures, columns), /^nginx +16\.0 +0\.88 × nginx$/m);
  assert.match(renderTable(figures, columns), /^heddle +14\.0$/m);
});

test('a target is met at its bound, missed above it, and not measured without its peer', () => {
  const outcome = (heddle: number): string[] => {
    const figures = summarize([sample('nginx', 10), sample('envoy', 40), sample('heddle', heddle)], columns);
    return judge('http1', figures).map((verdict) => verdict.outcome);
  };
  assert.deepEqual(outcome(11), ['met', 'not measured', 'met']);
  assert.deepEqual(outcome(11.1), ['missed', 'not measured', 'met']);
  assert.deepEqual(outcome(24.1), ['missed', 'not measured', 'missed']);
});

test('added latency within 100 µs of the peer is enough', () => {
  const outcome = (envoy: number, heddle: number): string[] => {
    const figures = new Map([
      ['envoy', { addedP99Us: envoy }],
      ['heddle', { addedP99Us: heddle }],
    ]);
    return judge('latency', figures).map((verdict) => verdict.outcome);
  };
  assert.deepEqual(outcome(200, 300), ['met']);
  assert.deepEqual(outcome(200, 301), ['missed']);
  assert.deepEqual(outcome(2000, 2400), ['met']);
});

test('what a peer does not divide is bounded by itself', () => {
  const [verdict] = judge('memory', new Map([['heddle', { afterToBefore: 1.6 }]])).slice(-1);
  assert.equal(verdict!.outcome, 'missed');
  assert.equal(describeVerdict(verdict!), 'missed         1.60  afterToBefore (at most 1.50)');
});

test('every suite has a target', () => {
  const http1 = ['http1', 'http1-bulk', 'tls', 'tcp', 'tcp-bulk', 'latency', 'memory', 'startup'];
  const suites = [...http1, 'http2', 'grpc', 'grpc-stream', 'chain'];
  assert.deepEqual([...new Set(targets.map((target) => target.suite))].toSorted(), suites.toSorted());
});
