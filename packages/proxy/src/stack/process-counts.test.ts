import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocateCounts, SharedCounts } from '../threads/shared-counts.ts';
import { LocalCounts, type ProcessCounts } from './process-counts.ts';

/** Two owners of the counts: with one thread the same object, with two each its own. */
function kinds(): readonly [string, ProcessCounts, ProcessCounts][] {
  const local = new LocalCounts();
  const memory = allocateCounts(2);
  return [
    ['one thread', local, local],
    ['two threads', new SharedCounts(memory, 2, 0), new SharedCounts(memory, 2, 1)],
  ];
}

test('all who open a name count the same', () => {
  for (const [kind, first, second] of kinds()) {
    const [a, b] = [first.open('a'), second.open('a')];
    assert.equal(a.add(), 1, kind);
    assert.equal(b.add(), 2, kind);
    assert.equal(a.value, 2, kind);
    assert.equal(first.open('b').value, 0, kind);
    assert.equal(a.remove(), 1, kind);
    assert.equal(b.value, 1, kind);
  }
});

test('no more than the limit is ever taken', () => {
  for (const [kind, first, second] of kinds()) {
    const [a, b] = [first.open('a'), second.open('a')];
    assert.deepEqual([a.tryAdd(2), b.tryAdd(2), a.tryAdd(2), b.tryAdd(2)], [true, true, false, false], kind);
    assert.equal(a.value, 2, kind);
    b.remove();
    assert.equal(a.tryAdd(2), true, kind);
    assert.equal(a.tryAdd(0), false, kind);
  }
});

test('what is counted stays counted when its owner has closed, until it is over', () => {
  for (const [kind, first, second] of kinds()) {
    const a = first.open('a');
    a.add();
    a.add();
    a.close();
    const b = second.open('a');
    assert.equal(b.value, 2, kind);
    a.remove();
    b.close();
    assert.equal(first.open('a').value, 1, kind);
    a.remove();
    assert.equal(second.open('a').value, 0, kind);
  }
});

test('a name that nobody uses any more has its place taken by others', () => {
  for (const [kind, first, second] of kinds()) {
    const [a, b] = [first.open('a'), second.open('a')];
    a.close();
    b.close();
    for (let index = 0; index < 10_000; index++) {
      const count = first.open(`name ${index}`);
      assert.equal(count.add(), 1, kind);
      count.close();
      count.remove();
    }
  }
});

test('what a thread counted that is no more is taken away', () => {
  const memory = allocateCounts(3);
  const [main, worker] = [new SharedCounts(memory, 3, 0), new SharedCounts(memory, 3, 2)];
  const own = main.open('a');
  own.add();
  const lost = worker.open('a');
  lost.add();
  lost.add();
  worker.open('b').add();
  main.forget(2);
  assert.equal(own.value, 1);
  assert.equal(main.open('b').value, 0);
  const again = new SharedCounts(memory, 3, 2).open('a');
  assert.equal(again.add(), 2);
  again.close();
  again.remove();
  own.close();
  own.remove();
  assert.equal(main.open('a').value, 0);
});

test('names beyond those that there is room for are counted by each thread alone', () => {
  const memory = allocateCounts(2);
  const [first, second] = [new SharedCounts(memory, 2, 0), new SharedCounts(memory, 2, 1)];
  for (let index = 0; index < 8192; index++) first.open(`name ${index}`);
  first.open('late').add();
  assert.equal(first.open('late').value, 1);
  assert.equal(second.open('late').value, 0);
  assert.equal(second.open('name 8191').value, 0);
});
