/** Hashes of the API's tokens: the tokens themselves are shown once and kept nowhere. */
import { hash as hashOf } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Where a token is shown: `api` tokens with each request, `dashboard` tokens at the page, for a session. */
export type CredentialKind = 'api' | 'dashboard';

/** What its bearer may do: look, change the configuration, make tokens. */
export type CredentialRole = 'viewer' | 'operator' | 'admin';

export interface Credential {
  readonly kind: CredentialKind;
  /** SHA-256 of the token, 32 bytes. */
  readonly hash: Uint8Array;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Whose it is: who made a change, in the history. */
  readonly subject: string;
  readonly role: CredentialRole;
  /** The one namespace it is good for; null for all. */
  readonly namespace: string | null;
  /** Null for never. */
  readonly expiresAt: number | null;
  /** To the minute; null for never. */
  readonly lastUsedAt: number | null;
}

/** Names a credential in lists and for revoking. Says nothing of the token. */
export function credentialId({ hash }: Pick<Credential, 'hash'>): string {
  return hashOf('sha256', hash, 'hex').slice(0, 12);
}

/** Synchronous: read at every request, kept in memory. */
export interface CredentialStore {
  list(): readonly Credential[];
  add(credential: Credential): void;
  /** Does nothing where it is gone already. */
  remove(credential: Credential): void;
  /** Notes a use. */
  touch(credential: Credential, at: number): void;
}

/** Tables of the credentials inside `heddle.db`. */
export const credentialSchema =
  "CREATE TABLE credentials (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, created_at INTEGER NOT NULL, subject TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT 'admin', namespace TEXT, expires_at INTEGER, last_used_at INTEGER) STRICT, WITHOUT ROWID;";

/** What was added since the first version, in this order. Tokens that are older than roles may do everything. */
const laterColumns: Readonly<Record<string, string>> = {
  subject: "TEXT NOT NULL DEFAULT ''",
  role: "TEXT NOT NULL DEFAULT 'admin'",
  namespace: 'TEXT',
  expires_at: 'INTEGER',
  last_used_at: 'INTEGER',
};

/** Adds the columns that stores have not that earlier versions have made. */
export function completeCredentialTable(database: DatabaseSync): void {
  const columns = database.prepare("SELECT name FROM pragma_table_info('credentials')").all();
  for (const [column, type] of Object.entries(laterColumns)) {
    if (columns.some(({ name }) => name === column)) continue;
    database.exec(`ALTER TABLE credentials ADD COLUMN ${column} ${type}`);
  }
}

/** A store that lives as long as its process. */
export class MemoryCredentialStore implements CredentialStore {
  private readonly credentials = new Map<string, Credential>();

  list(): readonly Credential[] {
    return [...this.credentials.values()];
  }

  add(credential: Credential): void {
    this.credentials.set(credentialId(credential), credential);
  }

  remove(credential: Credential): void {
    this.credentials.delete(credentialId(credential));
  }

  touch(credential: Credential, at: number): void {
    const id = credentialId(credential);
    const known = this.credentials.get(id);
    if (known !== undefined) this.credentials.set(id, { ...known, lastUsedAt: at });
  }
}

/** Credentials in `heddle.db`, read once. */
export class SqliteCredentialStore implements CredentialStore {
  private readonly database: DatabaseSync;
  private readonly memory = new MemoryCredentialStore();

  /** `database` has the tables of `credentialSchema` and stays its opener's to close. */
  constructor(database: DatabaseSync) {
    this.database = database;
    const rows = database.prepare('SELECT * FROM credentials ORDER BY created_at, hash').all();
    for (const row of rows) this.memory.add(credentialOf(row));
  }

  list(): readonly Credential[] {
    return this.memory.list();
  }

  add(credential: Credential): void {
    const { hash, kind, createdAt, subject, role, namespace, expiresAt, lastUsedAt } = credential;
    this.database
      .prepare(
        'INSERT INTO credentials (hash, kind, created_at, subject, role, namespace, expires_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(hash, kind, createdAt, subject, role, namespace, expiresAt, lastUsedAt);
    this.memory.add(credential);
  }

  remove(credential: Credential): void {
    this.database.prepare('DELETE FROM credentials WHERE hash = ?').run(credential.hash);
    this.memory.remove(credential);
  }

  touch(credential: Credential, at: number): void {
    this.database.prepare('UPDATE credentials SET last_used_at = ? WHERE hash = ?').run(at, credential.hash);
    this.memory.touch(credential, at);
  }
}

function credentialOf(row: Record<string, unknown>): Credential {
  const kind = row['kind'] === 'dashboard' ? 'dashboard' : 'api';
  const subject = row['subject'];
  // Those made before tokens had subjects have that of their kind, which was `admin` for the API.
  const unnamed = kind === 'api' ? 'admin' : kind;
  return {
    kind,
    subject: typeof subject === 'string' && subject !== '' ? subject : unnamed,
    hash: row['hash'] instanceof Uint8Array ? row['hash'] : new Uint8Array(0),
    createdAt: Number(row['created_at']),
    // What nobody has written may do nothing but look.
    role: row['role'] === 'admin' || row['role'] === 'operator' ? row['role'] : 'viewer',
    namespace: typeof row['namespace'] === 'string' ? row['namespace'] : null,
    expiresAt: numberOrNull(row['expires_at']),
    lastUsedAt: numberOrNull(row['last_used_at']),
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
