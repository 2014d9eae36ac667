import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Clock } from '@heddle/base';
import { listenForEnd } from './signals.ts';

test('asks for an orderly end first, then for one at once; an echo of the first counts for nothing', () => {
  let nowMs = 1_000;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    recent: () => nowMs,
    setTimer: () => ({ cancel: () => undefined }),
    defer: () => undefined,
  };
  const signals = new EventEmitter();
  const end = listenForEnd(clock, signals);
  signals.emit('SIGINT', 'SIGINT');
  assert.equal(end.signal.reason, 'SIGINT');
  nowMs += 20;
  signals.emit('SIGINT', 'SIGINT');
  assert.equal(end.force.aborted, false, 'npm passes on what we have already got');
  nowMs += 1_000;
  signals.emit('SIGTERM', 'SIGTERM');
  assert.equal(end.force.aborted, true);
  end.release();
  assert.deepEqual(signals.eventNames(), []);
});
