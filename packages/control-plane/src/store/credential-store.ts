/** Hashes of the API's tokens: the tokens themselves are shown once and kept nowhere. */
import type { DatabaseSync } from 'node:sqlite';

/** What a token lets its bearer do: `admin` is the command line's, `dashboard` may log in at the page. */
export type CredentialKind = 'admin' | 'dashboard';

export interface Credential {
  readonly kind: CredentialKind;
  /** SHA-256 of the token, 32 bytes. */
  readonly hash: Uint8Array;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Whose it is: who made a change, in the history. */
  readonly subject: string;
}

/** Synchronous: read at every request, kept in memory. */
export interface CredentialStore {
  list(): readonly Credential[];
  add(credential: Credential): void;
  /** Removes all of one kind and subject. */
  removeAll(kind: CredentialKind, subject: string): void;
}

/** Tables of the credentials inside `heddle.db`. */
export const credentialSchema =
  "CREATE TABLE credentials (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, created_at INTEGER NOT NULL, subject TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;";

/** Adds what stores have not that were made before tokens had subjects. */
export function completeCredentialTable(database: DatabaseSync): void {
  const columns = database.prepare("SELECT name FROM pragma_table_info('credentials')").all();
  if (columns.some(({ name }) => name === 'subject')) return;
  database.exec("ALTER TABLE credentials ADD COLUMN subject TEXT NOT NULL DEFAULT ''");
}

/** A store that lives as long as its process. */
export class MemoryCredentialStore implements CredentialStore {
  private credentials: Credential[] = [];

  list(): readonly Credential[] {
    return this.credentials;
  }

  add(credential: Credential): void {
    this.credentials.push(credential);
  }

  removeAll(kind: CredentialKind, subject: string): void {
    this.credentials = this.credentials.filter(
      (credential) => credential.kind !== kind || credential.subject !== subject,
    );
  }
}

/** Credentials in `heddle.db`, read once. */
export class SqliteCredentialStore implements CredentialStore {
  private readonly database: DatabaseSync;
  private readonly memory = new MemoryCredentialStore();

  /** `database` has the tables of `credentialSchema` and stays its opener's to close. */
  constructor(database: DatabaseSync) {
    this.database = database;
    const rows = database
      .prepare('SELECT hash, kind, created_at, subject FROM credentials ORDER BY created_at, hash')
      .all();
    for (const row of rows) {
      const kind = row.kind === 'admin' ? 'admin' : 'dashboard';
      this.memory.add({
        kind,
        subject: typeof row.subject === 'string' && row.subject !== '' ? row.subject : kind,
        hash: row.hash instanceof Uint8Array ? row.hash : new Uint8Array(0),
        createdAt: Number(row.created_at),
      });
    }
  }

  list(): readonly Credential[] {
    return this.memory.list();
  }

  add(credential: Credential): void {
    this.database
      .prepare('INSERT INTO credentials (hash, kind, created_at, subject) VALUES (?, ?, ?, ?)')
      .run(credential.hash, credential.kind, credential.createdAt, credential.subject);
    this.memory.add(credential);
  }

  removeAll(kind: CredentialKind, subject: string): void {
    // Those made before tokens had subjects have that of their kind.
    this.database
      .prepare("DELETE FROM credentials WHERE kind = ? AND (subject = ? OR (subject = '' AND kind = ?))")
      .run(kind, subject, subject);
    this.memory.removeAll(kind, subject);
  }
}
