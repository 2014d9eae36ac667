import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { requireOnce } from './require-once.ts';

test('a package that was used goes when nobody holds anything of it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-require-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'first.cjs'), "exports.second = require('./second.cjs');");
  writeFileSync(join(directory, 'second.cjs'), 'exports.answer = () => 42;');
  const use = (): WeakRef<object> => {
    const { second } = requireOnce('./first.cjs', join(directory, 'parent.js')) as {
      second: { answer: () => number };
    };
    assert.equal(second.answer(), 42);
    return new WeakRef(second.answer);
  };
  const used = use();
  // What a WeakRef was made for stays until the turn is over.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  assert.equal(used.deref(), undefined);
  assert.equal(typeof use().deref(), 'function', 'and is loaded again for who asks again');
});
