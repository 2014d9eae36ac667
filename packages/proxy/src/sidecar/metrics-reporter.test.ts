import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabelPairs, MetricFamily } from '@heddle/telemetry';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import type { RpcStreamHandler } from '@heddle/xds';
import { StreamMetricsMessage } from '@heddle/xds/api/envoy/service/metrics/v3/metrics_service.ts';
import { MetricsReporter } from './metrics-reporter.ts';

/** A reporter of one counter, and what the control plane hears: values, and `end`. */
function setUp() {
  const clock = new VirtualClock();
  const heard: (number | string)[] = [];
  const counter = { value: 1 };
  const labels: LabelPairs = [];
  let handler: RpcStreamHandler | null = null;
  const reporter = new MetricsReporter({
    rpc: {
      openStream: (_method, opened) => {
        handler = opened;
        return {
          send: (bytes) => {
            const [family] = StreamMetricsMessage.decode(bytes).envoyMetrics;
            heard.push(family?.metric[0]!.counter!.value ?? 'nothing new');
            return true;
          },
          end: () => heard.push('end'),
          cancel: () => heard.push('cancel'),
        };
      },
      call: () => Promise.reject(new Error('nothing is called')),
      close: () => undefined,
    },
    clock,
    random: new SeededRandom(1),
    collect: () => {
      const samples = [{ labels, value: counter.value, isUsed: true }];
      return Promise.resolve([{ name: 'c', help: '', type: 'counter', samples } satisfies MetricFamily]);
    },
    isReported: () => true,
    node: { id: 'a', cluster: 'b' },
  });
  return { clock, heard, counter, reporter, handler: () => handler! };
}

test('the last counts are sent before the end, which the control plane confirms', async () => {
  const { clock, heard, counter, reporter, handler } = setUp();
  reporter.start();
  await clock.advanceAsync(1_000);
  assert.deepEqual(heard, [1]);
  counter.value = 2;
  let isFinished = false;
  const finished = reporter.finish(1_000).then(() => (isFinished = true));
  await clock.advanceAsync(0);
  assert.deepEqual(heard, [1, 2, 'end']);
  assert.equal(isFinished, false);
  handler().onEnd({ code: 0, message: '' });
  await finished;
  await clock.advanceAsync(10_000);
  assert.deepEqual(heard, [1, 2, 'end']);
  assert.equal(clock.pendingTimers, 0);
});

test('totals are told once, until they change or another stream begins', async () => {
  const { clock, heard, counter, reporter, handler } = setUp();
  reporter.start();
  await clock.advanceAsync(2_000);
  counter.value = 2;
  await clock.advanceAsync(1_000);
  assert.deepEqual(heard, [1, 'nothing new', 2]);
  handler().onEnd({ code: 14, message: 'gone' });
  await clock.advanceAsync(1_000);
  assert.deepEqual(heard.slice(3), [2]);
  reporter.close();
});

test('nobody waits long for a control plane that confirms nothing, or is away', async () => {
  const { clock, reporter } = setUp();
  reporter.start();
  await clock.advanceAsync(1_000);
  let isFinished = false;
  const finished = reporter.finish(1_000).then(() => (isFinished = true));
  await clock.advanceAsync(900);
  assert.equal(isFinished, false);
  await clock.advanceAsync(100);
  await finished;
  await setUp().reporter.finish(1_000);
});
