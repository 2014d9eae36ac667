import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGenerated, readRepositoryFile, textFiles } from './support/source-files.ts';

const largest = 600;

/** Files that may be longer, each with its reason. */
const exceptions: ReadonlyMap<string, string> = new Map([]);

function isCode(path: string): boolean {
  return /\.(tsx?|css|c|py|sh|proto)$/.test(path) && !isGenerated(path);
}

function lines(path: string): number {
  return readRepositoryFile(path).split('\n').length - 1;
}

const sizes = textFiles()
  .filter(isCode)
  .map((path) => ({ path, size: lines(path) }));

test(`no file is longer than ${largest} lines`, (t) => {
  const median = sizes.map((file) => file.size).toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)];
  t.diagnostic(
    `${sizes.length} files, ${sizes.reduce((sum, file) => sum + file.size, 0)} lines, median ${median}`,
  );
  const tooLong = sizes.filter((file) => file.size > largest && !exceptions.has(file.path));
  assert.deepEqual(
    tooLong.map((file) => `${file.path}: ${file.size} lines`),
    [],
  );
});

test('every exception is still needed', () => {
  const idle = [...exceptions.keys()].filter(
    (path) => !sizes.some((file) => file.path === path && file.size > largest),
  );
  assert.deepEqual(idle, []);
});
