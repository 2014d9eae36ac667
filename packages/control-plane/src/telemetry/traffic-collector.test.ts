import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { durationBucketsMs } from '@heddle/telemetry';
import { VirtualClock } from '@heddle/testkit';
import { TrafficCollector, type ReportedSeries } from './traffic-collector.ts';

function requests(
  count: number,
  options: { service?: string; reporter?: 'source' | 'destination'; isError?: boolean } = {},
): ReportedSeries {
  const { service = 'reviews', reporter = 'destination', isError = false } = options;
  return {
    key: `requests ${service} ${reporter} ${isError}`,
    namespace: 'default',
    service,
    reporter,
    value: { kind: 'requests', count, isError },
  };
}

/** `count` requests of just under `ms` milliseconds; `ms` is a bucket's bound. */
function latencies(ms: number, count: number): ReportedSeries {
  const counts = new Float64Array(durationBucketsMs.length + 1);
  counts[durationBucketsMs.indexOf(ms)] = count;
  return {
    key: 'latencies',
    namespace: 'default',
    service: 'reviews',
    reporter: 'destination',
    value: { kind: 'latencies', counts },
  };
}

function assertBetween(value: number | null | undefined, low: number, high: number): void {
  assert.ok(typeof value === 'number' && value > low && value <= high, `${value} in (${low}, ${high}]`);
}

describe('traffic collection', () => {
  it('turns growing counters into requests per second', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([requests(1000), requests(7, { isError: true })]);
    clock.advance(1000);
    reporter.report([requests(1020), requests(9, { isError: true })]);
    clock.advance(1000);
    reporter.report([requests(1060), requests(9, { isError: true })]);
    clock.advance(1000);
    const { services, endMs, intervalMs } = collector.history(3);
    assert.equal(intervalMs, 1000);
    assert.equal(endMs, clock.now() - 1000);
    assert.deepEqual(services[0]?.requests, [0, 22, 40]);
    assert.deepEqual(services[0]?.errors, [0, 2, 0]);
  });

  it('takes a series that a report leaves out for unchanged', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([requests(1000), requests(7, { isError: true })]);
    clock.advance(1000);
    reporter.report([]);
    clock.advance(1000);
    reporter.report([requests(1010)]);
    clock.advance(1000);
    const { services } = collector.history(3);
    assert.deepEqual(services[0]?.requests, [0, 0, 10]);
    assert.deepEqual(services[0]?.errors, [0, 0, 0]);
  });

  it('spreads a report over the seconds that it covers', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    clock.advance(400);
    const reporter = collector.reporter();
    reporter.report([requests(0)]);
    clock.advance(1000);
    reporter.report([requests(100)]);
    clock.advance(1600);
    assert.deepEqual(collector.history(2).services[0]?.requests, [60, 40]);
  });

  it('takes the first report of a stream as a mark only, and a new series later as new', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([requests(500)]);
    clock.advance(1000);
    reporter.report([requests(500), requests(3, { service: 'ratings' })]);
    clock.advance(1000);
    const { services } = collector.history(1);
    assert.deepEqual(
      services.map((one) => [one.service, one.requests]),
      [['ratings', [3]]],
    );
    assert.equal(collector.summary('default', 'reviews'), null);
  });

  it('counts from zero after a counter went down', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([requests(500), latencies(10, 500)]);
    clock.advance(1000);
    reporter.report([requests(5), latencies(10, 5)]);
    clock.advance(1000);
    assert.deepEqual(collector.history(1).services[0]?.requests, [5]);
    assertBetween(collector.history(1).services[0]?.p50Ms[0], 5, 10);
  });

  it('adds the instances of a service up', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporters = [collector.reporter(), collector.reporter()];
    for (const reporter of reporters) reporter.report([requests(0)]);
    clock.advance(1000);
    for (const reporter of reporters) reporter.report([requests(10)]);
    clock.advance(1000);
    assert.deepEqual(collector.history(1).services[0]?.requests, [20]);
  });

  it('believes the destination where both ends report, and the source where only it does', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([]);
    clock.advance(1000);
    reporter.report([
      requests(10, { reporter: 'source' }),
      requests(9, { reporter: 'destination' }),
      requests(4, { reporter: 'source', service: 'external' }),
    ]);
    clock.advance(1000);
    assert.deepEqual(
      collector.latest().services.map((one) => [one.service, one.requestsPerSecond]),
      [
        ['external', 4],
        ['reviews', 9],
      ],
    );
  });

  it('estimates quantiles of a second, and keeps them when its buckets are gone', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([latencies(5, 0)]);
    clock.advance(1000);
    reporter.report([requests(100), latencies(5, 98), { ...latencies(250, 2), key: 'slow' }]);
    clock.advance(1000);
    const now = collector.latest().services[0];
    assertBetween(now?.p50Ms, 1, 5);
    assertBetween(now?.p99Ms, 100, 250);
    clock.advance(60_000);
    const kept = collector.history(61).services[0];
    assert.equal(kept?.p50Ms[0], now?.p50Ms);
    assert.equal(kept?.p99Ms[0], now?.p99Ms);
    assert.equal(kept?.p99Ms[30], null);
    assert.deepEqual(collector.summary('default', 'reviews'), {
      requestsPerSecond: 0,
      errorsPerSecond: 0,
      p50Ms: null,
      p99Ms: null,
    });
  });

  it('forgets what is older than a quarter of an hour', () => {
    const clock = new VirtualClock();
    const collector = new TrafficCollector(clock);
    const reporter = collector.reporter();
    reporter.report([requests(0)]);
    clock.advance(1000);
    reporter.report([requests(10)]);
    clock.advance(3_600_000);
    reporter.report([requests(10)]);
    assert.ok(collector.history(900).services[0]?.requests.every((count) => count === 0));
  });
});
