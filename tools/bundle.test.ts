import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundlePrograms } from './bundle.ts';

test('writes programs in Latin-1, which says the same', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-bundle-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const source = join(directory, 'program.ts');
  const program =
    "export const text: string = `a… ${'é→'} 🙂 \\\\…`;\nexport const found: boolean = /[…🙂]/u.test('…');\n";
  await writeFile(source, program);
  await bundlePrograms({ program: source }, join(directory, 'out'));
  const built = join(directory, 'out/program.js');
  assert.match(await readFile(built, 'utf8'), /^[\0-\xff]+$/);
  const { text, found } = (await import(built)) as { text: string; found: boolean };
  assert.equal(text, 'a… é→ 🙂 \\…');
  assert.equal(found, true);
});

test('packages that are used once become files of their own', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-bundle-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const source = join(directory, 'program.ts');
  const requireOnce = fileURLToPath(new URL('../packages/cli/src/proxy/require-once.ts', import.meta.url));
  const program = `import { requireOnce } from '${requireOnce}';
    export const value: unknown = (requireOnce('yaml', import.meta.url) as any).parse('a: [1, 2]');`;
  await writeFile(source, program);
  await bundlePrograms({ program: source }, join(directory, 'out'));
  const built = join(directory, 'out/program.js');
  assert.ok((await stat(built)).size < 2000);
  assert.deepEqual(((await import(built)) as { value: unknown }).value, { a: [1, 2] });
});
