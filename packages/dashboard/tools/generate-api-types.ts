import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDirectory } from './source-hash.ts';

const SOURCE = 'packages/control-plane/src/api/types.ts';
const source = join(packageDirectory, '../control-plane/src/api/types.ts');
const copy = join(packageDirectory, 'src/generated/api.ts');

/** What the dashboard's copy of the control plane's API types has to say. */
export async function expectedApiTypes(): Promise<string> {
  const text = await readFile(source, 'utf8');
  return `// Generated from ${SOURCE} by \`npm run generate -w @heddle/dashboard\`. Do not edit.\n\n${text}`;
}

/** What it says at present; empty where there is none. */
export async function presentApiTypes(): Promise<string> {
  return readFile(copy, 'utf8').catch(() => '');
}

if (import.meta.main) {
  const expected = await expectedApiTypes();
  if (!process.argv.includes('--check')) await writeFile(copy, expected);
  else if ((await presentApiTypes()) !== expected) {
    process.stderr.write(`${copy} differs from ${SOURCE}: run \`npm run generate -w @heddle/dashboard\`\n`);
    process.exitCode = 1;
  }
}
