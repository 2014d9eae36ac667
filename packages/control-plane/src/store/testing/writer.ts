/** Commits one object after the other and prints each name once its commit is acknowledged, until it is killed. */
import { writeSync } from 'node:fs';
import { systemClock } from '@heddle/base';
import { openHeddleDatabase } from '../heddle-database.ts';
import { SqliteConfigStore } from '../sqlite-config-store.ts';

const path = process.argv[2] ?? '';
const store = new SqliteConfigStore(openHeddleDatabase(path), path, systemClock);
for (let i = 0; ; i++) {
  const name = `object-${i}`;
  const key = { group: 'g', kind: 'K', namespace: 'n', name };
  await store.commit([{ type: 'put', key, apiVersion: 'g/v1', source: name, specDigest: name }], 'test');
  writeSync(1, `${name}\n`);
}
