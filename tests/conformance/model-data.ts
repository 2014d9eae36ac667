import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** The folder of a suite of conformance data; undefined, and a loud line, where the data is not at hand. */
export function suiteFolder(suite: string): string | undefined {
  const data = process.env['HEDDLE_CONFORMANCE'] ?? join(root, '..', 'shared', 'conformance');
  const folder = join(data, suite);
  if (existsSync(folder)) return folder;
  console.warn(`${suite}: SKIPPED, no data (set HEDDLE_CONFORMANCE to the folder that holds ${suite})`);
  return undefined;
}
