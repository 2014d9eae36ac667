import type { DatabaseSync } from 'node:sqlite';
import type { JoinTokenRecord, TokenStore } from '@heddle/ca';
import { storeError } from './sqlite-database.ts';

/** Tables of the join tokens inside `heddle.db`. */
export const joinTokenSchema = `
  CREATE TABLE join_tokens (
    id TEXT PRIMARY KEY, secret_sha256 TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
    uses_left INTEGER, namespace TEXT, service_account TEXT
  ) STRICT, WITHOUT ROWID;
`;

/** Join tokens in `heddle.db`: a use that was taken stays taken, whatever happens to the process or the machine. */
export class SqliteTokenStore implements TokenStore {
  private readonly database: DatabaseSync;
  private readonly path: string;

  /** `database` has the tables of `joinTokenSchema` and stays its opener's to close; `path` is named in errors. */
  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.path = path;
  }

  async get(id: string): Promise<JoinTokenRecord | null> {
    const row = this.guard(() => this.database.prepare('SELECT * FROM join_tokens WHERE id = ?').get(id));
    return row === undefined ? null : recordOf(row);
  }

  async list(): Promise<readonly JoinTokenRecord[]> {
    const rows = this.guard(() =>
      this.database.prepare('SELECT * FROM join_tokens ORDER BY created_at, id').all(),
    );
    return rows.map(recordOf);
  }

  async delete(id: string): Promise<boolean> {
    const { changes } = this.guard(() =>
      this.database.prepare('DELETE FROM join_tokens WHERE id = ?').run(id),
    );
    return Number(changes) === 1;
  }

  async put(record: JoinTokenRecord): Promise<void> {
    const { id, secretSha256, createdAtMs, expiresAtMs, usesLeft, namespace, serviceAccount } = record;
    this.guard(() =>
      this.database
        .prepare('INSERT OR REPLACE INTO join_tokens VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(id, secretSha256, createdAtMs, expiresAtMs, usesLeft, namespace, serviceAccount),
    );
  }

  async decrement(id: string): Promise<boolean> {
    const { changes } = this.guard(() =>
      this.database
        .prepare(
          'UPDATE join_tokens SET uses_left = uses_left - 1 WHERE id = ? AND (uses_left IS NULL OR uses_left > 0)',
        )
        .run(id),
    );
    return Number(changes) === 1;
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}

function recordOf(row: Record<string, unknown>): JoinTokenRecord {
  return {
    id: String(row['id']),
    secretSha256: String(row['secret_sha256']),
    createdAtMs: Number(row['created_at']),
    expiresAtMs: numberOrNull(row['expires_at']),
    usesLeft: numberOrNull(row['uses_left']),
    namespace: textOrNull(row['namespace']),
    serviceAccount: textOrNull(row['service_account']),
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
