import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock } from '@heddle/base';
import type { ConfigStore, StoreChange } from './config-store.ts';
import { openHeddleDatabase } from './heddle-database.ts';
import { SqliteConfigStore } from './sqlite-config-store.ts';

const root = mkdtempSync(join(tmpdir(), 'heddle-sqlite-'));
let path = '';
let count = 0;

function put(name: string): StoreChange {
  const key = { group: 'g', kind: 'K', namespace: 'n', name };
  return { type: 'put', key, apiVersion: 'g/v1', source: `source of ${name}`, specDigest: name };
}

async function withStore(action: (store: ConfigStore) => Promise<void>): Promise<void> {
  const database = openHeddleDatabase(path);
  try {
    await action(new SqliteConfigStore(database, path, systemClock));
  } finally {
    database.close();
  }
}

describe('the SQLite file', () => {
  before(() => assert.ok(existsSync(root)));
  beforeEach(() => {
    path = join(root, `${++count}.db`);
  });
  after(() => rmSync(root, { recursive: true }));

  it('keeps its content and revision over closing and opening', async () => {
    await withStore(async (store) => void (await store.commit([put('a')], 'cli')));
    await withStore(async (store) => {
      const { revision, objects } = await store.read();
      assert.equal(revision, 1);
      assert.equal(objects[0]?.source, 'source of a');
    });
  });

  it('loses nothing acknowledged when its writer is killed with SIGKILL', async () => {
    const writer = new URL('./testing/writer.ts', import.meta.url);
    const child = spawn(process.execPath, [writer.pathname, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      acknowledged += text;
      if (acknowledged.split('\n').length > 40) child.kill('SIGKILL');
    });
    await once(child, 'close');
    assert.equal(child.signalCode, 'SIGKILL');
    const names = acknowledged.split('\n').slice(0, -1);
    assert.ok(names.length >= 40);
    await withStore(async (store) => {
      const { objects } = await store.read();
      const found = new Set(objects.map((object) => object.name));
      assert.deepEqual(
        names.filter((name) => !found.has(name)),
        [],
      );
    });
  });

  it('refuses a second control plane, and lets it in when the first has closed', () => {
    const first = openHeddleDatabase(path);
    assert.throws(() => openHeddleDatabase(path), {
      code: 'HEDDLE_STORE_LOCKED',
      message: /another control plane/,
    });
    first.close();
    openHeddleDatabase(path).close();
  });

  it('refuses a damaged file and leaves every byte of it alone', async () => {
    await withStore(async (store) => {
      for (let i = 0; i < 50; i++) await store.commit([put(`object-${i}`)], 'cli');
    });
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096, 4096 * 3);
    writeFileSync(path, bytes);
    assert.throws(() => openHeddleDatabase(path), {
      code: 'HEDDLE_STORE_CORRUPT',
      message: new RegExp(`${path}.*restore it from a backup`),
    });
    assert.deepEqual(readFileSync(path), bytes);
  });

  it('refuses text, an empty file and a journal without its file', () => {
    writeFileSync(path, 'not a database at all, but long enough to look like a header of one'.repeat(20));
    assert.throws(() => openHeddleDatabase(path), { code: 'HEDDLE_STORE_CORRUPT' });
    writeFileSync(path, '');
    assert.throws(() => openHeddleDatabase(path), { code: 'HEDDLE_STORE_CORRUPT' });
    assert.equal(statSync(path).size, 0);
    rmSync(path);
    writeFileSync(`${path}-wal`, 'x');
    assert.throws(() => openHeddleDatabase(path), { code: 'HEDDLE_STORE_CORRUPT' });
    assert.ok(!existsSync(path));
  });

  it('refuses a file of a newer format', () => {
    openHeddleDatabase(path).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    assert.throws(() => openHeddleDatabase(path), { code: 'HEDDLE_STORE_TOO_NEW', message: /newer Heddle/ });
  });
});
