/** Opens Heddle's SQLite files: locked against a second process, checked, never silently made anew. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorMessage, HeddleError } from '@heddle/base';

/** What sets one kind of file apart from another. */
export interface DatabaseFormat {
  /** SQLite's `application_id`: says that the file is ours and which one. */
  readonly applicationId: number;
  /** Schema version that this program writes. */
  readonly version: number;
  /** Makes the tables of `version` in an empty database. */
  readonly schema: string;
  /**
   * `full`: what was committed survives the machine's power loss. `normal`: it survives the end of the process, however
   * it ends; the last commits may be lost with the machine.
   */
  readonly synchronous: 'full' | 'normal';
}

const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** The result code of SQLite behind an error; 0 where it is none. Extended codes are cut down to their base. */
function sqliteCode(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return 0;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

function corrupt(path: string, detail: string, cause?: unknown): HeddleError {
  return new HeddleError(
    'HEDDLE_STORE_CORRUPT',
    `The store ${path} is damaged (${detail}): restore it from a backup, or move it away to start with an empty one.`,
    { cause },
  );
}

/** Says an SQLite error as a sentence with a code. */
export function storeError(path: string, error: unknown): HeddleError {
  if (error instanceof HeddleError) return error;
  const code = sqliteCode(error);
  if (code === sqliteBusy) {
    return new HeddleError(
      'HEDDLE_STORE_LOCKED',
      `The store ${path} is in use by another control plane: stop that one first, or use another store directory.`,
      { cause: error },
    );
  }
  if (code === sqliteCorrupt || code === sqliteNotADatabase) return corrupt(path, errorMessage(error), error);
  return new HeddleError('HEDDLE_STORE_FAILED', `The store ${path} failed: ${errorMessage(error)}.`, {
    cause: error,
  });
}

/**
 * Makes the file under another name first, so that a crash half way leaves no empty file behind: an empty store at
 * `path` is then always damage.
 */
function create(path: string, format: DatabaseFormat): void {
  const temporary = `${path}.new`;
  for (const leftover of [temporary, `${temporary}-journal`]) rmSync(leftover, { force: true });
  const database = new DatabaseSync(temporary);
  try {
    database.exec('PRAGMA synchronous = FULL');
    database.exec(
      `BEGIN; PRAGMA application_id = ${format.applicationId}; PRAGMA user_version = ${format.version}; ${format.schema}; COMMIT`,
    );
  } finally {
    database.close();
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

function readPragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

function check(database: DatabaseSync, path: string, format: DatabaseFormat): void {
  const verdict = readPragma(database, 'quick_check(1)');
  if (verdict !== 'ok') throw corrupt(path, String(verdict).split('\n').at(-1) ?? '');
  if (readPragma(database, 'application_id') !== format.applicationId)
    throw corrupt(path, 'it is not a file of this kind');
  const version = Number(readPragma(database, 'user_version'));
  if (version > format.version) {
    throw new HeddleError(
      'HEDDLE_STORE_TOO_NEW',
      `The store ${path} has format ${version}, written by a newer Heddle; this one reads up to ${format.version}: use the newer version.`,
    );
  }
}

/**
 * Opens the database at `path`, or makes it where there is none. The file is locked until `close`, or until the process
 * ends in whatever way. Throws `HEDDLE_STORE_CORRUPT`, `HEDDLE_STORE_LOCKED`, `HEDDLE_STORE_TOO_NEW` or
 * `HEDDLE_STORE_FAILED`.
 */
export function openDatabase(path: string, format: DatabaseFormat): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (!existsSync(path)) {
      if (existsSync(`${path}-wal`)) throw corrupt(path, 'the file is gone but its journal is there');
      create(path, format);
    }
    database = new DatabaseSync(path);
    // Before the journal is touched: the lock is then held for good, and there is no shared-memory file.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    // Looked at before the first write: pages of a damaged or foreign file must not be changed.
    check(database, path, format);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(`PRAGMA synchronous = ${format.synchronous}`);
    // A write takes the lock at once; reading alone would leave room for another writer.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return database;
  } catch (error) {
    database?.close();
    throw storeError(path, error);
  }
}
