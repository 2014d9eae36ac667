import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { openDatabase, storeError, type DatabaseFormat } from '../store/sqlite-database.ts';
import type { Instance, InstanceStore } from './instance-store.ts';

const format: DatabaseFormat = {
  applicationId: 0x48444c49, // 'HDLI'
  version: 1,
  schema: 'CREATE TABLE instances (instance TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;',
  // Sidecars publish again what a power failure took; `full` would cost every publish a wait for the disk.
  synchronous: 'normal',
};

const instanceSchema = z.object({
  instance: z.string(),
  namespace: z.string(),
  service: z.string(),
  serviceAccount: z.string(),
  servicePort: z.number(),
  protocol: z.string(),
  address: z.string(),
  port: z.number(),
  labels: z.record(z.string(), z.string()),
  publishedAt: z.number(),
});

/** The store of one machine: `instances.db`. */
export class SqliteInstanceStore implements InstanceStore {
  private readonly path: string;
  private readonly database: DatabaseSync;

  /** Opens the file or makes it. Throws the codes of `openDatabase`. */
  constructor(path: string) {
    this.path = path;
    this.database = openDatabase(path, format);
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
    if (this.database.isOpen) this.database.close();
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}
