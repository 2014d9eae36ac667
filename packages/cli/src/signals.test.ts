import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@heddle/base';
import { listenForEnd } from './signals.ts';

test('asks for an orderly end first, then for one at once; an echo of the first counts for nothing', () => {
  let nowMs = 1_000;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    setTimer: () => ({ cancel: () => undefined }),
  };
  const listeners = process.listenerCount('SIGINT');
  const end = listenForEnd(clock);
  process.emit('SIGINT', 'SIGINT');
  assert.equal(end.signal.reason, 'SIGINT');
  nowMs += 20;
  process.emit('SIGINT', 'SIGINT');
  assert.equal(end.force.aborted, false, 'npm passes on what we have already got');
  nowMs += 1_000;
  process.emit('SIGTERM', 'SIGTERM');
  assert.equal(end.force.aborted, true);
  end.release();
  assert.equal(process.listenerCount('SIGINT'), listeners);
});
