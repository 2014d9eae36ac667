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

const plain = { role: 'viewer', namespace: null, expiresAt: null, lastUsedAt: null } as const;

function contract(name: string, open: () => CredentialStore): void {
  it(`${name} keeps whose token is whose and what it is good for`, () => {
    const store = open();
    const alice = { ...plain, kind: 'api', subject: 'alice', hash: hash(2), createdAt: 2 } as const;
    store.add(alice);
    store.add({ ...alice, hash: hash(1), role: 'operator', namespace: 'shop', expiresAt: 9 });
    store.add({ ...alice, kind: 'dashboard', hash: hash(3), createdAt: 3 });
    store.touch(alice, 77);
    store.remove({ ...alice, hash: hash(3) });
    store.remove({ ...alice, hash: hash(4) });
    assert.deepEqual(
      new Set(store.list().map(({ hash: _hash, ...rest }) => JSON.stringify(rest, Object.keys(rest).sort()))),
      new Set([
        '{"createdAt":2,"expiresAt":9,"kind":"api","lastUsedAt":null,"namespace":"shop","role":"operator","subject":"alice"}',
        '{"createdAt":2,"expiresAt":null,"kind":"api","lastUsedAt":77,"namespace":null,"role":"viewer","subject":"alice"}',
      ]),
    );
  });
}

describe('credentials', () => {
  contract('memory', () => new MemoryCredentialStore());
  contract('sqlite', () => {
    const database = openHeddleDatabase(join(directory, 'one.db'));
    const store = new SqliteCredentialStore(database);
    // What is listed is what a next process would read.
    return {
      add: (credential) => store.add(credential),
      remove: (credential) => store.remove(credential),
      touch: (credential, at) => store.touch(credential, at),
      list: () => new SqliteCredentialStore(database).list(),
    };
  });

  it('of a store older than subjects and roles have that of their kind, and may do everything', () => {
    const path = join(directory, 'old.db');
    openHeddleDatabase(path).close();
    const old = new DatabaseSync(path);
    for (const column of ['subject', 'role', 'namespace', 'expires_at', 'last_used_at'])
      old.exec(`ALTER TABLE credentials DROP COLUMN ${column}`);
    old.prepare("INSERT INTO credentials VALUES (?, 'admin', 1), (?, 'dashboard', 2)").run(hash(1), hash(2));
    old.close();
    const database = openHeddleDatabase(path);
    assert.deepEqual(
      new SqliteCredentialStore(database).list().map(({ kind, subject, role }) => [kind, subject, role]),
      [
        ['api', 'admin', 'admin'],
        ['dashboard', 'dashboard', 'admin'],
      ],
    );
    database.close();
    openHeddleDatabase(path).close();
  });
});
