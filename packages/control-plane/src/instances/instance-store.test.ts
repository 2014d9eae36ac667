import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Instance, InstanceStore } from './instance-store.ts';
import { MemoryInstanceStore } from './memory-instance-store.ts';
import { openInstanceDatabase } from './instance-database.ts';
import { SqliteInstanceStore } from './sqlite-instance-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-instances-'));
let count = 0;
after(() => rmSync(directory, { recursive: true }));

function openStore(path: string): InstanceStore {
  const database = openInstanceDatabase(path);
  const store = new SqliteInstanceStore(database, path);
  return Object.assign(store, { close: async () => database.close() });
}

const implementations: Record<string, () => InstanceStore> = {
  memory: () => new MemoryInstanceStore(),
  sqlite: () => openStore(join(directory, `${++count}.db`)),
};

function instance(id: string, port: number): Instance {
  return {
    instance: id,
    namespace: 'default',
    service: 'reviews',
    serviceAccount: 'reviews',
    servicePort: 9080,
    protocol: 'http',
    address: '127.0.0.1',
    port,
    labels: { app: 'reviews', version: 'v1' },
    takesTunnels: true,
    publishedAt: 1_700_000_000_000,
  };
}

for (const [name, open] of Object.entries(implementations)) {
  describe(`InstanceStore: ${name}`, () => {
    it('lists what was put, by id, the last version of each', async () => {
      const store = open();
      await store.put(instance('b', 1));
      await store.put(instance('a', 2));
      await store.put(instance('b', 3));
      assert.deepEqual(await store.list(), [instance('a', 2), instance('b', 3)]);
      await store.close();
    });

    it('removes one, and does nothing for one that is not there', async () => {
      const store = open();
      await store.put(instance('a', 1));
      await store.remove('a');
      await store.remove('a');
      assert.deepEqual(await store.list(), []);
      await store.close();
    });
  });
}

describe('instances.db', () => {
  it('keeps instances over closing and opening', async () => {
    const path = join(directory, 'kept.db');
    const first = openStore(path);
    await first.put(instance('a', 1));
    await first.close();
    const second = openStore(path);
    assert.deepEqual(await second.list(), [instance('a', 1)]);
    await second.close();
  });
});
