import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger, systemClock } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { ErrorNumber, type Kernel } from './kernel.ts';
import { openListeningSocket } from './listening-socket.ts';
import type { Poller } from './poller.ts';
import { SysListener } from './sys-listener.ts';
import { openEngine } from './sys-transport.ts';

const engine = openEngine();

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
    rest: () => (isWatched = false),
    unwatch: () => (isWatched = false),
  } as unknown as Poller;
  let warnings = 0;
  const listener = new SysListener(7, {
    engine: { kernel, poller, sharedAddress: 1n },
    clock,
    logger: { ...silentLogger, warn: () => warnings++ },
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
  assert.equal(warnings, 1, 'it is told once, not each time');
  clock.advance(10_000);
  listener.onReady();
  assert.equal(warnings, 2, 'that it lasts is told from time to time');
  listener.close();
  clock.advance(1000);
  assert.deepEqual([asked, isWatched], [3, false], 'a closed listener does not wake up');
});

test(
  'is not woken, once closed, by connections to a process that has inherited the socket',
  { skip: typeof engine === 'string' ? engine : false },
  async (t) => {
    assert.ok(typeof engine !== 'string');
    const { kernel } = engine;
    const plan = { sharesPort: false, port: null };
    const descriptor = openListeningSocket(kernel, { host: '127.0.0.1', port: 0 }, plan, false);
    // What the other process has: the same socket under another number.
    const inherited = kernel.openSocket(false);
    assert.equal(kernel.duplicateTo(descriptor, inherited), inherited);
    const listener = new SysListener(descriptor, {
      engine,
      clock: systemClock,
      logger: silentLogger,
      local: null,
      accept: () => assert.fail('nobody accepts here'),
    });
    assert.equal(listener.start(), true);
    listener.close();
    const taken = t.mock.method(kernel, 'takeEvents');
    const client = connect(kernel.localAddress(inherited)!.port, '127.0.0.1');
    await once(client, 'connect');
    for (let count = 0; count < 10; count++) await turn();
    const results = taken.mock.calls.map(({ result }) => result);
    assert.ok(results.length > 0);
    assert.deepEqual([...new Set(results)], [0]);
    client.destroy();
    kernel.close(inherited);
  },
);
