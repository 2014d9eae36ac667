import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signal } from '@preact/signals';
import type { Answer } from '../api/client.ts';
import { FakeClock, settle } from '../platform/fake-clock.test-support.ts';
import { Poller } from './poller.ts';

const refusal = { kind: 'refused', code: 'HEDDLE_X', message: 'No.' } as const;

function setUp(ask: (count: number) => Promise<Answer<number>>) {
  const clock = new FakeClock();
  const gate = signal(true);
  let asked = 0;
  const poller = new Poller(() => ask(++asked), 1000, gate, clock);
  return { clock, gate, poller, asked: () => asked };
}

const answering = (count: number): Promise<Answer<number>> => Promise.resolve({ ok: true, value: count });

test('asks at once and then each interval, only while somebody looks', async () => {
  const { clock, poller, asked } = setUp(answering);
  await clock.advance(5000);
  assert.equal(asked(), 0);
  const stopFirst = poller.look();
  const stopSecond = poller.look();
  await clock.advance(2500);
  assert.equal(poller.value.value, 3);
  stopFirst();
  await clock.advance(1000);
  assert.equal(asked(), 4);
  stopSecond();
  await clock.advance(5000);
  assert.equal(asked(), 4);
  assert.equal(clock.waiting, 0);
});

test('rests while the gate is closed, and asks at once when it opens', async () => {
  const { clock, gate, poller, asked } = setUp(answering);
  poller.look();
  await clock.advance(0);
  gate.value = false;
  await clock.advance(60_000);
  assert.equal(asked(), 1);
  gate.value = true;
  await settle();
  assert.equal(asked(), 2);
});

test('keeps the last answer beside the failure of a later request', async () => {
  const { clock, poller } = setUp((count) =>
    count === 2 ? Promise.resolve({ ok: false, failure: refusal }) : answering(count),
  );
  poller.look();
  await clock.advance(1000);
  assert.equal(poller.value.value, 1);
  assert.deepEqual(poller.failure.value, refusal);
  await clock.advance(1000);
  assert.equal(poller.value.value, 3);
  assert.equal(poller.failure.value, null);
});

test('ignores an answer that comes after the gate has closed', async () => {
  const late = Promise.withResolvers<Answer<number>>();
  const { clock, gate, poller, asked } = setUp(() => late.promise);
  poller.look();
  gate.value = false;
  late.resolve({ ok: true, value: 7 });
  await clock.advance(5000);
  assert.equal(poller.value.value, null);
  assert.equal(asked(), 1);
});
