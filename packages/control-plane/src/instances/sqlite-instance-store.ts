import type { DatabaseSync } from 'node:sqlite';
import { storeError } from '../store/sqlite-database.ts';
import { instanceSchema } from './instance-schema.ts';
import type { Instance, InstanceStore } from './instance-store.ts';

/** The store of one machine: `instances.db`. */
export class SqliteInstanceStore implements InstanceStore {
  private readonly path: string;
  private readonly database: DatabaseSync;

  /** `database` is that of `openInstanceDatabase` and stays its opener's to close; `path` is named in errors. */
  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.path = path;
  }

  async list(): Promise<readonly Instance[]> {
    return this.guard(() =>
      this.database
        .prepare('SELECT content FROM instances ORDER BY instance')
        .all()
        .map((row) => instanceSchema.parse(JSON.parse(String(row.content)))),
    );
  }

  async put(instance: Instance): Promise<void> {
    this.guard(() =>
      this.database
        .prepare('INSERT OR REPLACE INTO instances VALUES (?, ?)')
        .run(instance.instance, JSON.stringify(instance)),
    );
  }

  async remove(instance: string): Promise<void> {
    this.guard(() => this.database.prepare('DELETE FROM instances WHERE instance = ?').run(instance));
  }

  async close(): Promise<void> {
    // The database is its opener's.
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}
