import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, type DatabaseFormat } from '../store/sqlite-database.ts';

const format: DatabaseFormat = {
  applicationId: 0x48444c49, // 'HDLI'
  version: 1,
  schema: `
    CREATE TABLE instances (instance TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE certificates (
      serial TEXT PRIMARY KEY, position INTEGER NOT NULL, identity TEXT NOT NULL, kind TEXT NOT NULL,
      not_before INTEGER NOT NULL, not_after INTEGER NOT NULL
    ) STRICT;
  `,
  // Sidecars publish again what a power failure took; `full` would cost every publish a wait for the disk.
  synchronous: 'normal',
};

/** Opens `instances.db`: published instances, issued certificates. Throws the codes of `openDatabase`. */
export function openInstanceDatabase(path: string): DatabaseSync {
  return openDatabase(path, format);
}
