import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { MemoryCredentialStore, SqliteCredentialStore, type CredentialStore } from './credential-store.ts';
import { openHeddleDatabase } from './heddle-database.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-credentials-'));
after(() => rmSync(directory, { recursive: true }));

const hash = (first: number): Uint8Array => new Uint8Array(32).fill(first);

function contract(name: string, open: () => CredentialStore): void {
  it(`${name} keeps whose token is whose, and removes those of one kind and subject`, () => {
    const store = open();
    store.add({ kind: 'admin', subject: 'admin', hash: hash(1), createdAt: 1 });
    store.add({ kind: 'admin', subject: 'alice', hash: hash(2), createdAt: 2 });
    store.add({ kind: 'dashboard', subject: 'admin', hash: hash(3), createdAt: 3 });
    store.removeAll('admin', 'admin');
    assert.deepEqual(
      store.list().map(({ kind, subject }) => `${kind} ${subject}`),
      ['admin alice', 'dashboard admin'],
    );
  });
}

describe('credentials', () => {
  contract('memory', () => new MemoryCredentialStore());
  contract('sqlite', () => new SqliteCredentialStore(openHeddleDatabase(join(directory, 'one.db'))));

  it('of a store older than subjects have that of their kind', () => {
    const path = join(directory, 'old.db');
    openHeddleDatabase(path).close();
    const old = new DatabaseSync(path);
    old.exec('ALTER TABLE credentials DROP COLUMN subject');
    old.prepare("INSERT INTO credentials VALUES (?, 'admin', 1), (?, 'dashboard', 2)").run(hash(1), hash(2));
    old.close();
    const database = openHeddleDatabase(path);
    const store = new SqliteCredentialStore(database);
    assert.deepEqual(
      store.list().map(({ subject }) => subject),
      ['admin', 'dashboard'],
    );
    store.removeAll('admin', 'admin');
    assert.deepEqual(
      new SqliteCredentialStore(database).list().map(({ kind }) => kind),
      ['dashboard'],
    );
    database.close();
    openHeddleDatabase(path).close();
  });
});
