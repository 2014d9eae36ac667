import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStoreDirectory } from './store-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'heddle-store-'));
after(() => rmSync(root, { recursive: true }));

test('missing directories are made, readable by their owner only', () => {
  const path = join(root, 'some', 'where');
  openStoreDirectory(path).close();
  assert.equal(statSync(path).mode & 0o777, 0o700);
  openStoreDirectory(path).close();
});

test('a place where no directory can be made is refused', () => {
  writeFileSync(join(root, 'file'), '');
  // In /proc a directory's parent is there and the system says that something is missing.
  const places = [join(root, 'file'), join(root, 'file', 'below'), '/proc/heddle'];
  for (const place of process.platform === 'linux' ? places : places.slice(0, 2)) {
    assert.throws(() => openStoreDirectory(place), { code: 'HEDDLE_STORE_FAILED' }, place);
  }
});

test('what stands in the place of the directory is named', () => {
  const file = join(root, 'plain');
  writeFileSync(file, '');
  const link = join(root, 'link');
  symlinkSync(join(root, 'nowhere'), link);
  for (const [path, message] of [
    [file, `The store ${file} is a file and no directory.`],
    [
      join(file, 'a', 'b'),
      `The store ${join(file, 'a', 'b')} cannot be made: ${file} is a file and no directory.`,
    ],
    [link, `The store ${link} is a link that leads nowhere.`],
    [join(link, 'a'), `The store ${join(link, 'a')} cannot be made: ${link} is a link that leads nowhere.`],
  ] as const) {
    assert.throws(() => openStoreDirectory(path), { code: 'HEDDLE_STORE_FAILED', message });
  }
});
