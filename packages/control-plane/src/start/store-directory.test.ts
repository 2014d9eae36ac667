import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
