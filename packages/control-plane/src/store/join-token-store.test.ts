import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { MemoryTokenStore, type JoinTokenRecord, type TokenStore } from '@heddle/ca';
import { openHeddleDatabase } from './heddle-database.ts';
import { SqliteTokenStore } from './join-token-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-tokens-'));
const path = join(directory, 'heddle.db');
const database = openHeddleDatabase(path);
after(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const limited: JoinTokenRecord = {
  id: 'limited',
  secretSha256: 'hash',
  createdAtMs: 1,
  expiresAtMs: 2_000_000_000_000,
  usesLeft: 2,
  namespace: 'default',
  serviceAccount: 'reviews',
};
const unlimited: JoinTokenRecord = {
  ...limited,
  id: 'unlimited',
  expiresAtMs: null,
  usesLeft: null,
  namespace: null,
  serviceAccount: null,
};

const implementations: Record<string, TokenStore> = {
  memory: new MemoryTokenStore(),
  sqlite: new SqliteTokenStore(database, path),
};

for (const [name, store] of Object.entries(implementations)) {
  describe(`TokenStore: ${name}`, () => {
    it('gives back what was put', async () => {
      for (const record of [limited, unlimited]) {
        await store.put(record);
        assert.deepEqual(await store.get(record.id), record);
      }
      assert.equal(await store.get('missing'), null);
    });

    it('takes a use only while one is left', async () => {
      await store.put(limited);
      assert.deepEqual(
        [
          await store.decrement('limited'),
          await store.decrement('limited'),
          await store.decrement('limited'),
        ],
        [true, true, false],
      );
      assert.equal((await store.get('limited'))?.usesLeft, 0);
    });

    it('takes any number of uses of a token without a limit, and none of a missing one', async () => {
      await store.put(unlimited);
      assert.equal(await store.decrement('unlimited'), true);
      assert.equal((await store.get('unlimited'))?.usesLeft, null);
      assert.equal(await store.decrement('missing'), false);
    });
  });
}
