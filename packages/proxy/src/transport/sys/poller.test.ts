import assert from 'node:assert/strict';
import { Server } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { DescriptorLedger } from './descriptor-ledger.ts';
import { type Kernel, Readiness, openKernel } from './kernel.ts';
import { Poller, type Watched } from './poller.ts';

const kernel = openKernel();
const skip = typeof kernel === 'string' ? kernel : false;

function open(): { readonly kernel: Kernel; readonly poller: Poller } {
  assert.ok(typeof kernel !== 'string');
  const poller = Poller.open(kernel);
  assert.ok(typeof poller !== 'string');
  return { kernel, poller };
}

function owner(onTurn: () => void = () => undefined): Watched {
  return { generation: 0, isDue: false, isHolding: false, onReady: () => undefined, onTurn };
}

test('what rests is still open, to those who close what a thread leaves', { skip }, () => {
  const { kernel: calls, poller } = open();
  const ledger = new DescriptorLedger();
  poller.keep(ledger);
  const fd = calls.openSocket(false);
  const watched = owner();
  assert.equal(poller.watch(fd, Readiness.IN, watched), true);
  poller.rest(fd);
  assert.deepEqual([ledger.list(), watched.isHolding], [[fd], true]);
  assert.equal(poller.watch(fd, Readiness.IN, watched), true, 'it can be watched again');
  poller.forget(fd);
  assert.deepEqual([ledger.list(), watched.isHolding], [[], false]);
  calls.close(fd);
});

test('says why there can be none', { skip }, (t) => {
  assert.ok(typeof kernel !== 'string');
  t.mock.method(Server.prototype, 'listen', () => {
    throw new Error('Node forbids it');
  });
  assert.equal(Poller.open(kernel), 'Node forbids it');
});

test('owners that are always due leave the rest of the loop its turn', { skip }, async (t) => {
  const { kernel: calls, poller } = open();
  // As if two events came each time, of sockets that are closed.
  t.mock.method(calls, 'takeEvents', () => 2);
  t.mock.method(calls, 'eventDescriptor', () => 0);
  t.mock.method(calls, 'eventGeneration', () => -1);
  let turns = 0;
  let isOver = false;
  for (let count = 0; count < 100; count++) {
    const busy = owner(() => {
      turns++;
      if (!isOver) poller.attend(busy);
    });
    poller.attend(busy);
  }
  const inOneTurn = await new Promise<number>((resolve) => {
    // Before the poller's, and again after it.
    setImmediate(() => {
      const before = turns;
      setImmediate(() => resolve(turns - before));
    });
  });
  isOver = true;
  await pass(1);
  assert.ok(inOneTurn > 0 && inOneTurn <= 300, `${inOneTurn}`);
});
