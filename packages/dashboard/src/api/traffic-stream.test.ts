import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../platform/fake-clock.test-support.ts';
import { TrafficStream, type EventStream } from './traffic-stream.ts';

class FakeStream implements EventStream {
  isClosed = false;
  private readonly listeners = new Map<string, (event: { data?: unknown }) => void>();

  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.isClosed = true;
  }

  send(timeMs: number): void {
    this.listeners.get('traffic')?.({ data: JSON.stringify({ timeMs, services: [] }) });
  }

  fail(): void {
    this.listeners.get('error')?.({});
  }
}

function setUp() {
  const clock = new FakeClock();
  const opened: FakeStream[] = [];
  const log: (number | boolean)[] = [];
  const stream = new TrafficStream(
    () => {
      const fake = new FakeStream();
      opened.push(fake);
      return fake;
    },
    (event) => log.push(event.timeMs),
    (isLive) => log.push(isLive),
    clock,
  );
  stream.start();
  return { clock, opened, log, stream };
}

test('hands on events, and says before the first that the stream lives', () => {
  const { opened, log } = setUp();
  opened[0]?.send(1);
  opened[0]?.send(2);
  assert.deepEqual(log, [true, 1, 2]);
});

test('opens a broken stream again, with growing pauses while it stays broken', async () => {
  const { clock, opened, log } = setUp();
  opened[0]?.send(1);
  opened[0]?.fail();
  assert.equal(opened[0]?.isClosed, true);
  await clock.advance(500);
  assert.equal(opened.length, 2);
  opened[1]?.fail();
  await clock.advance(999);
  assert.equal(opened.length, 2);
  await clock.advance(1);
  assert.equal(opened.length, 3);
  opened[2]?.send(9);
  assert.deepEqual(log, [true, 1, false, false, true, 9]);
});

test('takes a stream that has fallen silent for broken', async () => {
  const { clock, opened, log } = setUp();
  opened[0]?.send(1);
  await clock.advance(4000);
  opened[0]?.send(2);
  await clock.advance(4999);
  assert.equal(opened.length, 1);
  await clock.advance(501);
  assert.equal(opened.length, 2);
  assert.deepEqual(log, [true, 1, 2, false]);
});

test('stays closed once stopped, and hears nothing from streams of before', async () => {
  const { clock, opened, log, stream } = setUp();
  stream.stop();
  opened[0]?.send(1);
  opened[0]?.fail();
  await clock.advance(60_000);
  assert.equal(opened.length, 1);
  assert.deepEqual(log, []);
  assert.equal(clock.waiting, 0);
});
