import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readManifests } from './read-manifests.ts';

test('leaves out what is no regular file in a directory, and names it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-manifests-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const warned = t.mock.method(process.stderr, 'write', () => true);
  execFileSync('mkfifo', [join(directory, 'f.yaml')]);
  mkdirSync(join(directory, 'deep'));
  symlinkSync('..', join(directory, 'deep', 'loop'));
  await assert.rejects(readManifests([directory], true), { code: 'HEDDLE_FILE_NOT_FOUND' });
  writeFileSync(join(directory, 'a.yaml'), 'a: 1\n');
  for (const [isRecursive, leftOut] of [
    [false, 'f.yaml (no regular file)'],
    [true, 'deep/loop (a link to a directory that it is in), f.yaml (no regular file)'],
  ] as const) {
    const files = await readManifests([directory], isRecursive);
    assert.deepEqual(files, [{ name: join(directory, 'a.yaml'), text: 'a: 1\n' }]);
    const said = warned.mock.calls.map(({ arguments: [text] }) => String(text));
    assert.equal(
      said.findLast((text) => text.startsWith('warning: left')),
      `warning: left out of '${directory}': ${leftOut}\n`,
    );
  }
});
