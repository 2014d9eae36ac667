import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { openKernel } from './kernel.ts';

const kernel = openKernel();
const skip = typeof kernel === 'string' ? kernel : false;

test('no call is made with memory that cannot be', { skip }, () => {
  assert.ok(typeof kernel !== 'string');
  assert.throws(() => kernel.read(-1, -1n, 1), TypeError);
  for (const length of [-1, Number.NaN, 2 ** 31, Infinity]) {
    assert.throws(() => kernel.write(-1, kernel.stagingAddress, length), RangeError);
  }
});

test('reads and writes what lies at an address, and nothing beside it', { skip }, () => {
  assert.ok(typeof kernel !== 'string');
  const buffer = Buffer.allocUnsafeSlow(4096).fill('.');
  const address = kernel.addressOf(buffer);
  const random = openSync('/dev/zero', 'r');
  assert.equal(kernel.read(random, address + 100n, 50), 50);
  closeSync(random);
  assert.equal(buffer.indexOf(0), 100);
  assert.equal(buffer.lastIndexOf(0), 149);
  assert.equal(kernel.read(random, address, 1), -1);
  assert.equal(kernel.errorName, 'EBADF');
});
