import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runChild } from '../process/child.ts';
import { temporaryDirectory } from '../process/temporary.ts';
import { readModuleRecords, recordingEnvironment } from './module-record.ts';

test('records what a program and its children load, required, imported and on demand', async () => {
  await using directory = await temporaryDirectory();
  const file = (name: string): string => join(directory.path, name);
  await writeFile(file('main.mjs'), `import './a.mjs'; import 'node:zlib'; await import('./b.mjs');`);
  await writeFile(
    file('a.mjs'),
    `import { createRequire } from 'node:module'; createRequire(import.meta.url)('./c.cjs');`,
  );
  await writeFile(
    file('b.mjs'),
    `import { spawnSync } from 'node:child_process'; spawnSync(process.execPath, ['child.mjs'], { cwd: import.meta.dirname });`,
  );
  await writeFile(file('c.cjs'), '');
  await writeFile(file('child.mjs'), `import 'node:dns';`);
  const environment = recordingEnvironment(directory.path);
  const child = await runChild(process.execPath, { arguments: [file('main.mjs')], environment });
  assert.equal(child.exit?.code, 0, child.output);

  const records = readModuleRecords(directory.path);
  const main = records.find((record) => record.commandLine[1] === file('main.mjs'));
  const url = (name: string): string => pathToFileURL(file(name)).href;
  assert.ok(main !== undefined);
  for (const expected of [url('main.mjs'), url('a.mjs'), url('b.mjs'), url('c.cjs'), 'node:zlib']) {
    assert.ok(main.modules.includes(expected), `${expected} is among ${main.modules.join(' ')}`);
  }
  assert.ok(!main.modules.includes(url('child.mjs')));
  assert.ok(main.builtins.includes('zlib') && main.builtins.includes('internal/streams/transform'));
  assert.ok(!main.builtins.includes('http2'));
  const grandchild = records.find((record) => record.commandLine[1]?.endsWith('child.mjs') === true);
  assert.ok(grandchild?.modules.includes('node:dns') === true);
});
