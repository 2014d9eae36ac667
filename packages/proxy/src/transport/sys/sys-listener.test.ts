import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { ErrorNumber, type Kernel } from './kernel.ts';
import type { Poller } from './poller.ts';
import { SysListener } from './sys-listener.ts';

test('rests while the process may open no more files, and then goes on', () => {
  const clock = new VirtualClock();
  let asked = 0;
  let isWatched = false;
  // What the listener asks of the two, and no more.
  const kernel = {
    errorNumber: ErrorNumber.EMFILE,
    errorName: 'EMFILE',
    accept: () => {
      asked++;
      return -1;
    },
    close: () => undefined,
  } as unknown as Kernel;
  const poller = {
    watch: () => (isWatched = true),
    unwatch: () => (isWatched = false),
    forget: () => (isWatched = false),
  } as unknown as Poller;
  const listener = new SysListener(7, {
    engine: { kernel, poller, sharedAddress: 1 },
    clock,
    logger: silentLogger,
    local: null,
    accept: () => assert.fail('nothing has been accepted'),
  });
  listener.start();
  listener.onReady();
  assert.deepEqual([asked, isWatched], [1, false]);
  clock.advance(99);
  assert.equal(isWatched, false);
  clock.advance(1);
  assert.equal(isWatched, true);
  listener.onReady();
  listener.close();
  clock.advance(1000);
  assert.deepEqual([asked, isWatched], [2, false], 'a closed listener does not wake up');
});
