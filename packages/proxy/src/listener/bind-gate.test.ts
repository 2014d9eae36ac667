import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BindGate } from './bind-gate.ts';

/** Binds through the gate, and what has been bound so far. */
function setUp() {
  const gate = new BindGate();
  const bound: string[] = [];
  const bind = (name: string, work = Promise.resolve()): Promise<void> =>
    gate.pass(async () => {
      await work;
      bound.push(name);
    });
  return { gate, bound, bind };
}

test('nobody binds while the gate is held; those under way are waited for', async () => {
  const { gate, bound, bind } = setUp();
  const work = Promise.withResolvers<void>();
  const first = bind('first', work.promise);
  const held = gate.hold().then(() => bound.push('held'));
  const second = bind('second');
  work.resolve();
  await Promise.all([first, held]);
  assert.deepEqual(bound, ['first', 'held']);
  gate.release();
  await second;
  assert.deepEqual(bound, ['first', 'held', 'second']);
});

test('after the gate has been shut nobody binds any more, and nobody waits', async () => {
  const { gate, bound, bind } = setUp();
  await gate.hold();
  const waiting = bind('one');
  gate.shut();
  await waiting;
  await bind('another');
  assert.deepEqual(bound, []);
});

test('one that fails to bind says so, and holds nobody up', async () => {
  const { gate, bind } = setUp();
  const failing = bind('one', Promise.reject(new Error('in use')));
  const held = gate.hold();
  await assert.rejects(failing, /in use/);
  await held;
});
