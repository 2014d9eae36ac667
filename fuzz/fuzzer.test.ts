import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { fuzz, runInput, shrink } from './fuzzer.ts';
import { mutate } from './mutate.ts';
import { bytesOf, type FuzzTarget } from './target.ts';

const bug: FuzzTarget = {
  name: 'bug',
  seeds: [bytesOf('aabaab')],
  run: (input) => {
    if (Buffer.from(input).includes('b\n')) throw new Error('found');
  },
};

test('a finding is made as small as it gets', () => {
  const finding = runInput(bug, bytesOf('xxxxxxb\nyyyyy'));
  assert.ok(finding !== null);
  assert.equal(Buffer.from(shrink(bug, finding).input).toString(), 'b\n');
});

test('mutation finds a bug within its time and says where', () => {
  const { finding, executions } = fuzz(bug, 20_000, 1);
  assert.ok(executions > 0);
  assert.equal(Buffer.from(finding!.input).toString(), 'b\n');
});

test('the same seed mutates the same way', () => {
  const run = (seed: number): string => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () =>
      Buffer.from(mutate(bytesOf('hello'), [bytesOf('x')], random)).toString('hex'),
    ).join();
  };
  assert.equal(run(1), run(1));
  assert.notEqual(run(1), run(2));
});
