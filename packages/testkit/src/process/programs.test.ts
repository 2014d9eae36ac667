import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram, skipWithout } from './programs.ts';

test('a program is found by name or path, or not', () => {
  assert.equal(findProgram(process.execPath), process.execPath);
  assert.notEqual(findProgram('sh'), null);
  assert.equal(findProgram('no-such-program'), null);
  assert.equal(findProgram('/no/such/program'), null);
});

test('what is missing skips a test, and fails it where nothing may be skipped', (t) => {
  const before = process.env['HEDDLE_REQUIRE_ALL'];
  t.after(() => {
    if (before === undefined) delete process.env['HEDDLE_REQUIRE_ALL'];
    else process.env['HEDDLE_REQUIRE_ALL'] = before;
  });
  delete process.env['HEDDLE_REQUIRE_ALL'];
  assert.equal(skipWithout({ sh: '/bin/sh' }), false);
  assert.equal(skipWithout({ sh: '/bin/sh', envoy: null }), 'not on this machine: envoy');
  process.env['HEDDLE_REQUIRE_ALL'] = '1';
  assert.equal(skipWithout({ sh: '/bin/sh' }), false);
  assert.throws(() => skipWithout({ envoy: null }), /not on this machine: envoy/);
});
