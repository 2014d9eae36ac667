import type { DatabaseSync } from 'node:sqlite';
import type { ServiceBinding } from '@heddle/ca';
import type { ServiceBindings } from './service-bindings.ts';
import { storeError } from './sqlite-database.ts';

/** The table of the bindings inside `heddle.db`; made where it is missing, as in stores older than it. */
export const serviceBindingSchema = `
  CREATE TABLE IF NOT EXISTS service_bindings (
    namespace TEXT NOT NULL, service_account TEXT NOT NULL, service TEXT NOT NULL,
    PRIMARY KEY (namespace, service_account, service)
  ) STRICT, WITHOUT ROWID;
`;

/** Bindings in `heddle.db`, which survive a power loss: the token that made them may be used up. */
export class SqliteServiceBindings implements ServiceBindings {
  private readonly database: DatabaseSync;
  private readonly path: string;

  /** `database` has the table of `serviceBindingSchema` and stays its opener's to close; `path` is named in errors. */
  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.path = path;
  }

  async add({ namespace, serviceAccount, service }: ServiceBinding): Promise<void> {
    this.guard(() =>
      this.database
        .prepare('INSERT OR IGNORE INTO service_bindings VALUES (?, ?, ?)')
        .run(namespace, serviceAccount, service),
    );
  }

  async has({ namespace, serviceAccount, service }: ServiceBinding): Promise<boolean> {
    const row = this.guard(() =>
      this.database
        .prepare('SELECT 1 FROM service_bindings WHERE namespace = ? AND service_account = ? AND service = ?')
        .get(namespace, serviceAccount, service),
    );
    return row !== undefined;
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }
}
