import type { DatabaseSync } from 'node:sqlite';
import { completeCredentialTable, credentialSchema } from './credential-store.ts';
import { joinTokenSchema } from './join-token-store.ts';
import { configSchema } from './sqlite-config-store.ts';
import { openDatabase, storeError, type DatabaseFormat } from './sqlite-database.ts';
import { serviceBindingSchema } from './sqlite-service-bindings.ts';

const format: DatabaseFormat = {
  applicationId: 0x48444c43, // 'HDLC'
  version: 1,
  schema: configSchema + credentialSchema + joinTokenSchema,
  synchronous: 'full',
};

/** Opens `heddle.db`: configuration, its history, hashes of tokens, what they bound. Throws the codes of `openDatabase`. */
export function openHeddleDatabase(path: string): DatabaseSync {
  const database = openDatabase(path, format);
  try {
    database.exec(serviceBindingSchema);
    completeCredentialTable(database);
    return database;
  } catch (error) {
    database.close();
    throw storeError(path, error);
  }
}
