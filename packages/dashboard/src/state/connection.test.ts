import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../platform/fake-clock.test-support.ts';
import { Connection } from './connection.ts';

function connectionThatAnswers(answers: boolean[]): {
  clock: FakeClock;
  connection: Connection;
  probes: number[];
} {
  const clock = new FakeClock();
  const probes: number[] = [];
  const connection = new Connection(clock, () => {
    probes.push(clock.now() - 1_000_000);
    return Promise.resolve(answers.shift() ?? true);
  });
  return { clock, connection, probes };
}

test('asks with growing pauses until somebody answers, then rests', async () => {
  const { clock, connection, probes } = connectionThatAnswers([false, false, true]);
  connection.reportLost();
  assert.deepEqual(connection.state.value, { name: 'lost', sinceMs: 1_000_000, retryAtMs: 1_000_500 });
  await clock.advance(60_000);
  assert.deepEqual(probes, [500, 1500, 3500]);
  assert.deepEqual(connection.state.value, { name: 'live' });
  assert.equal(clock.waiting, 0);
});

test('counts a second loss from its own beginning, and begins with a short pause again', async () => {
  const { clock, connection, probes } = connectionThatAnswers([false, true, true]);
  connection.reportLost();
  await clock.advance(10_000);
  connection.reportLost();
  assert.deepEqual(connection.state.value, { name: 'lost', sinceMs: 1_010_000, retryAtMs: 1_010_500 });
  await clock.advance(10_000);
  assert.deepEqual(probes, [500, 1500, 10_500]);
});

test('does not begin anew when a loss is reported twice', async () => {
  const { clock, connection, probes } = connectionThatAnswers([]);
  connection.reportLost();
  await clock.advance(400);
  connection.reportLost();
  await clock.advance(100);
  assert.deepEqual(probes, [500]);
});

test('tries at once when asked, and not again at the planned time', async () => {
  const { clock, connection, probes } = connectionThatAnswers([true]);
  connection.reportLost();
  await connection.tryNow();
  assert.deepEqual(connection.state.value, { name: 'live' });
  await clock.advance(10_000);
  assert.deepEqual(probes, [0]);
});
