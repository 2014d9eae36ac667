import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Clock } from '@heddle/base';
import { CommitWatchers, compacted } from './commit-watchers.ts';
import {
  historyLimit,
  type Commit,
  type CommitOutcome,
  type CommittedChange,
  type ConfigStore,
  type ObjectKey,
  type StoreChange,
  type StoreSnapshot,
  type StoreWatch,
  type StoreWatcher,
  type StoredObject,
} from './config-store.ts';
import { planCommit } from './plan-commit.ts';
import { storeError } from './sqlite-database.ts';

type Row = Record<string, SQLOutputValue>;

const columns =
  'grp, kind, namespace, name, api_version, source, spec_digest, revision, created_revision, created_at, updated_at, generation';
const byKey = 'grp = ? AND kind = ? AND namespace = ? AND name = ?';

/** Tables of the configuration inside `heddle.db`. `grp` because `group` is a word of SQL. */
export const configSchema = `
  CREATE TABLE objects (
    grp TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, api_version TEXT NOT NULL,
    source TEXT NOT NULL, spec_digest TEXT NOT NULL, revision INTEGER NOT NULL, created_revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY (grp, kind, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE commits (revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, author TEXT NOT NULL) STRICT;
  CREATE TABLE changes (
    commit_revision INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
    grp TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, api_version TEXT NOT NULL,
    source TEXT NOT NULL, spec_digest TEXT NOT NULL, revision INTEGER NOT NULL, created_revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY (commit_revision, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX changes_by_object ON changes (grp, kind, namespace, name, commit_revision);
`;

/**
 * The store of one machine: `heddle.db`. A commit is on the disk when `commit` resolves, so that neither `kill -9` nor a
 * power failure loses what was acknowledged.
 */
export class SqliteConfigStore implements ConfigStore {
  private readonly path: string;
  private readonly database: DatabaseSync;
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly watchers = new CommitWatchers();
  private readonly statements = new Map<string, StatementSync>();
  private revision: number;

  /**
   * `database` has the tables of `configSchema` and stays its opener's to close; `path` is named in errors; `limit` is
   * how many commits are kept.
   */
  constructor(database: DatabaseSync, path: string, clock: Clock, limit: number = historyLimit) {
    this.database = database;
    this.path = path;
    this.clock = clock;
    this.limit = limit;
    this.revision = number(this.row('SELECT max(revision) AS revision FROM commits'), 'revision');
  }

  async read(): Promise<StoreSnapshot> {
    const rows = this.rows(`SELECT ${columns} FROM objects ORDER BY grp, kind, namespace, name`);
    return { revision: this.revision, objects: rows.map(readObject) };
  }

  async get(key: ObjectKey): Promise<StoredObject | undefined> {
    return this.find(key);
  }

  async commit(changes: readonly StoreChange[], author: string): Promise<CommitOutcome> {
    const revision = this.revision + 1;
    const at = this.clock.now();
    const plan = planCommit(changes, (key) => this.find(key), revision, at);
    if (plan.kind === 'conflict') return plan;
    if (plan.changes.length === 0) return { kind: 'unchanged', revision: this.revision };
    const commit: Commit = { revision, at, author, changes: plan.changes };
    this.write(commit);
    this.revision = revision;
    this.watchers.publish(commit);
    return { kind: 'committed', commit };
  }

  async watch(afterRevision: number, watcher: StoreWatcher): Promise<StoreWatch> {
    return this.watchers.add(this.after(afterRevision), watcher);
  }

  async commitsAfter(afterRevision: number): Promise<readonly Commit[]> {
    return this.after(afterRevision);
  }

  async history(options: { readonly key?: ObjectKey; readonly limit: number }): Promise<readonly Commit[]> {
    const { key, limit } = options;
    if (key === undefined)
      return this.readCommits('SELECT * FROM commits ORDER BY revision DESC LIMIT ?', limit);
    return this.readCommits(
      `SELECT * FROM commits WHERE revision IN (SELECT commit_revision FROM changes WHERE ${byKey}) ORDER BY revision DESC LIMIT ?`,
      ...keyValues(key),
      limit,
    );
  }

  async close(): Promise<void> {
    this.watchers.close();
  }

  private after(revision: number): readonly Commit[] {
    const row = this.row('SELECT min(revision) AS revision FROM commits');
    const oldest = number(row, 'revision') || this.revision + 1;
    if (revision + 1 < oldest) throw compacted(revision, oldest);
    return this.readCommits('SELECT * FROM commits WHERE revision > ? ORDER BY revision', revision);
  }

  private find(key: ObjectKey): StoredObject | undefined {
    const row = this.row(`SELECT ${columns} FROM objects WHERE ${byKey}`, ...keyValues(key));
    return row === undefined ? undefined : readObject(row);
  }

  private write(commit: Commit): void {
    try {
      this.database.exec('BEGIN IMMEDIATE');
      try {
        this.writeRows(commit);
        this.database.exec('COMMIT');
      } catch (error) {
        if (this.database.isTransaction) this.database.exec('ROLLBACK');
        throw error;
      }
    } catch (error) {
      throw storeError(this.path, error);
    }
  }

  private writeRows(commit: Commit): void {
    this.statement('INSERT INTO commits VALUES (?, ?, ?)').run(commit.revision, commit.at, commit.author);
    const record = this.statement(
      `INSERT INTO changes (commit_revision, position, type, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const put = this.statement(
      `INSERT OR REPLACE INTO objects (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const remove = this.statement(`DELETE FROM objects WHERE ${byKey}`);
    for (const [position, change] of commit.changes.entries()) {
      const values = objectValues(change.object);
      record.run(commit.revision, position, change.type, ...values);
      if (change.type === 'put') put.run(...values);
      else remove.run(...keyValues(change.object));
    }
    this.forget(commit.revision - this.limit);
  }

  /**
   * Deletes the commits up to `last`. Of each object the last version of those times stays in `changes`: it is what a
   * later commit has replaced.
   */
  private forget(last: number): void {
    for (const row of this.rows('SELECT revision FROM commits WHERE revision <= ? ORDER BY revision', last)) {
      const revision = number(row, 'revision');
      this.statement(
        'DELETE FROM changes WHERE commit_revision < ? AND (grp, kind, namespace, name) IN (SELECT grp, kind, namespace, name FROM changes WHERE commit_revision = ?)',
      ).run(revision, revision);
      this.statement("DELETE FROM changes WHERE commit_revision = ? AND type = 'delete'").run(revision);
      this.statement('DELETE FROM commits WHERE revision = ?').run(revision);
    }
  }

  private readCommits(sql: string, ...parameters: (string | number)[]): Commit[] {
    return this.rows(sql, ...parameters).map((row) => {
      const revision = number(row, 'revision');
      const changes = this.rows(
        'SELECT * FROM changes WHERE commit_revision = ? ORDER BY position',
        revision,
      );
      return {
        revision,
        at: number(row, 'at'),
        author: text(row, 'author'),
        changes: changes.map((change) => this.readChange(change)),
      };
    });
  }

  private readChange(row: Row): CommittedChange {
    const object = readObject(row);
    if (text(row, 'type') !== 'put') return { type: 'delete', object };
    if (object.revision === object.createdRevision) return { type: 'put', object, previous: undefined };
    const before = this.row(
      `SELECT * FROM changes WHERE ${byKey} AND commit_revision < ? ORDER BY commit_revision DESC LIMIT 1`,
      ...keyValues(object),
      object.revision,
    );
    return { type: 'put', object, previous: before === undefined ? undefined : readObject(before) };
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private row(sql: string, ...parameters: (string | number)[]): Row | undefined {
    return this.rows(sql, ...parameters)[0];
  }

  private rows(sql: string, ...parameters: (string | number)[]): Row[] {
    try {
      return this.statement(sql).all(...parameters);
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}

function keyValues(key: ObjectKey): [string, string, string, string] {
  return [key.group, key.kind, key.namespace, key.name];
}

function objectValues(object: StoredObject): (string | number)[] {
  return [
    ...keyValues(object),
    object.apiVersion,
    object.source,
    object.specDigest,
    object.revision,
    object.createdRevision,
    object.createdAt,
    object.updatedAt,
    object.generation,
  ];
}

function readObject(row: Row): StoredObject {
  return {
    group: text(row, 'grp'),
    kind: text(row, 'kind'),
    namespace: text(row, 'namespace'),
    name: text(row, 'name'),
    apiVersion: text(row, 'api_version'),
    source: text(row, 'source'),
    specDigest: text(row, 'spec_digest'),
    revision: number(row, 'revision'),
    createdRevision: number(row, 'created_revision'),
    createdAt: number(row, 'created_at'),
    updatedAt: number(row, 'updated_at'),
    generation: number(row, 'generation'),
  };
}

function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}

/** A column as a number; 0 for NULL, which only an aggregate over nothing gives. */
function number(row: Row | undefined, column: string): number {
  const value = row?.[column];
  return typeof value === 'number' ? value : 0;
}
