import type { DatabaseSync } from 'node:sqlite';
import { credentialSchema } from './credential-store.ts';
import { joinTokenSchema } from './join-token-store.ts';
import { configSchema } from './sqlite-config-store.ts';
import { openDatabase, type DatabaseFormat } from './sqlite-database.ts';

const format: DatabaseFormat = {
  applicationId: 0x48444c43, // 'HDLC'
  version: 1,
  schema: configSchema + credentialSchema + joinTokenSchema,
  synchronous: 'full',
};

/** Opens `heddle.db`: configuration, its history, hashes of tokens. Throws the codes of `openDatabase`. */
export function openHeddleDatabase(path: string): DatabaseSync {
  return openDatabase(path, format);
}
