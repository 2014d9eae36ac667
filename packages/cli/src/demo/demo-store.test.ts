import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDemoStore, keepStore } from './demo-store.ts';

test('makes its store anew, and never out of a mesh that somebody keeps', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-demo-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  const store = await createDemoStore(directory);
  assert.equal((await stat(store)).mode & 0o777, 0o700);
  await writeFile(join(store, 'heddle.db'), 'old');
  await createDemoStore(directory);
  assert.ok(!existsSync(join(store, 'heddle.db')));
  assert.deepEqual(await readdir(directory), ['.heddle'], 'nothing of the old one is left');
  await keepStore(store);
  await writeFile(join(store, 'heddle.db'), 'mine');
  await assert.rejects(createDemoStore(directory), { code: 'HEDDLE_STORE_NOT_DEMO' });
  assert.ok(existsSync(join(store, 'heddle.db')));
});

test('refuses where a demo runs', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-demo-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  const store = await createDemoStore(directory);
  const address = '127.0.0.1:1';
  const file = { pid: process.pid, apiAddress: address, xdsAddress: address, joinAddress: address };
  await writeFile(join(store, 'control-plane.json'), JSON.stringify(file));
  await assert.rejects(createDemoStore(directory), { code: 'HEDDLE_DEMO_RUNNING' });
});

test('takes an empty directory for its store', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-demo-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, '.heddle'));
  assert.ok(existsSync(join(await createDemoStore(directory), 'demo')));
});

test('names a file or a link that stands in the way', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-demo-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  const store = join(directory, '.heddle');
  await writeFile(store, '');
  await assert.rejects(createDemoStore(directory), { code: 'HEDDLE_STORE_UNWRITABLE', message: /is a file/ });
  await rm(store);
  await symlink('nowhere', store);
  await assert.rejects(createDemoStore(directory), { message: /is a link that leads nowhere/ });
});
