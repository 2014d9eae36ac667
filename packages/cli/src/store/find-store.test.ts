import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findStore } from './find-store.ts';

test('finds the nearest store upwards, as git finds its own', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'heddle-store-'));
  t.after(async () => await rm(root, { recursive: true, force: true }));
  const deep = join(root, 'a/b');
  await mkdir(deep, { recursive: true });
  assert.equal(findStore(undefined, deep), join(deep, '.heddle'), 'none yet: it would be here');
  await mkdir(join(root, '.heddle'));
  assert.equal(findStore(undefined, deep), join(root, '.heddle'));
  assert.equal(findStore('other', deep), join(deep, 'other'), 'unless told otherwise');
});
