import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModule } from './support/module-text.ts';
import { isGenerated, isTestFile, readRepositoryFile, typeScriptFiles } from './support/source-files.ts';

/** Names that look like codes and are something else. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['HEDDLE_COMPILE_CACHE', 'environment variable of the launcher'],
  ['HEDDLE_DEBUG', 'environment variable'],
  ['HEDDLE_ENVOY', 'environment variable'],
  ['HEDDLE_LAUNCHER', 'environment variable of the launcher'],
  ['HEDDLE_MALLOC', 'environment variable of the launcher'],
  ['HEDDLE_SIDECAR_SOCKETS', 'environment variable of a sidecar that replaces another'],
  ['HEDDLE_SUCCESSION', 'environment variable of a process that replaces another'],
  ['HEDDLE_TOKEN', 'environment variable'],
  ['HEDDLE_TRANSPORT', 'environment variable'],
  ['HEDDLE_VERSION', 'node metadata of a sidecar'],
]);

function codesInSource(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const path of typeScriptFiles()) {
    if (!path.startsWith('packages/') || isTestFile(path) || isGenerated(path)) continue;
    const { code } = readModule(path, readRepositoryFile(path));
    for (const match of code.matchAll(/['"`](HEDDLE_[A-Z0-9_]+)['"`]/g)) codes.set(match[1]!, path);
  }
  for (const name of otherNames.keys()) codes.delete(name);
  return codes;
}

function rows(): string[] {
  return [
    ...readRepositoryFile('docs/reference/errors.md').matchAll(/^\|\s*`?(HEDDLE_[A-Z0-9_]+)`?\s*\|/gm),
  ].map((match) => match[1]!);
}

test('every code that the source can give has a row in docs/reference/errors.md', () => {
  const known = new Set(rows());
  const missing = [...codesInSource()]
    .filter(([code]) => !known.has(code))
    .map(([code, path]) => `${code} (${path})`);
  assert.deepEqual(missing, []);
});

test('every row is about a code that exists, and there is one for each', () => {
  const codes = codesInSource();
  const all = rows();
  assert.deepEqual(
    all.filter((code) => !codes.has(code)),
    [],
    'rows without a code in the source',
  );
  assert.deepEqual(
    all.filter((code, index) => all.indexOf(code) !== index),
    [],
    'codes with two rows',
  );
});

test('every row says what the code means and what to do', () => {
  for (const line of readRepositoryFile('docs/reference/errors.md').split('\n')) {
    if (!/^\|\s*`?(HEDDLE|IST)/.test(line)) continue;
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    assert.equal(cells.length, 5, `three columns: ${line}`);
    assert.ok(
      cells.slice(1, 4).every((cell) => cell !== ''),
      `no empty column: ${line}`,
    );
  }
});
