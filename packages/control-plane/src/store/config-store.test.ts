import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@heddle/base';
import { openHeddleDatabase } from './heddle-database.ts';
import { MemoryConfigStore } from './memory-config-store.ts';
import { SqliteConfigStore } from './sqlite-config-store.ts';
import { describeConfigStore } from './testing/config-store-contract.ts';

describeConfigStore('memory', async (limit) => {
  const store = new MemoryConfigStore(systemClock, limit);
  return { store, close: () => store.close() };
});

describeConfigStore('sqlite', async (limit) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-store-'));
  const path = join(directory, 'heddle.db');
  const database = openHeddleDatabase(path);
  const store = new SqliteConfigStore(database, path, systemClock, limit);
  return {
    store,
    reopen: async () => new SqliteConfigStore(database, path, systemClock, limit),
    close: async () => {
      await store.close();
      database.close();
      rmSync(directory, { recursive: true });
    },
  };
});
