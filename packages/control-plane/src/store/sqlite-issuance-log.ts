import type { DatabaseSync } from 'node:sqlite';
import type { IssuanceLog, IssuanceRecord } from '@heddle/ca';
import { storeError } from './sqlite-database.ts';

/** Issued certificates in `instances.db`. Expired ones are forgotten when the list is read. */
export class SqliteIssuanceLog implements IssuanceLog {
  private readonly database: DatabaseSync;
  private readonly path: string;

  /** `database` is that of `openInstanceDatabase` and stays its opener's to close; `path` is named in errors. */
  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.path = path;
  }

  async append({ serial, identity, kind, notBeforeMs, notAfterMs }: IssuanceRecord): Promise<void> {
    this.guard(() =>
      this.database
        .prepare(
          'INSERT OR REPLACE INTO certificates VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM certificates), ?, ?, ?, ?)',
        )
        .run(serial, identity, kind, notBeforeMs, notAfterMs),
    );
  }

  async list(nowMs: number): Promise<readonly IssuanceRecord[]> {
    return this.guard(() => {
      this.database.prepare('DELETE FROM certificates WHERE not_after < ?').run(nowMs);
      return this.database
        .prepare('SELECT * FROM certificates ORDER BY position')
        .all()
        .map((row) => ({
          identity: String(row['identity']),
          kind: kindOf(row['kind']),
          serial: String(row['serial']),
          notBeforeMs: Number(row['not_before']),
          notAfterMs: Number(row['not_after']),
        }));
    });
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}

function kindOf(value: unknown): IssuanceRecord['kind'] {
  return value === 'root' || value === 'control-plane' ? value : 'workload';
}
