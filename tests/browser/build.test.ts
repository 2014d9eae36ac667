import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryDirectory, type TemporaryDirectory } from '@heddle/testkit';
import { ensureDashboardBuilt } from '../../packages/dashboard/tools/ensure-built.ts';

/** What a browser may have to load in all, compressed. */
const LARGEST_BYTES = 60 * 1024;

describe('the built dashboard', () => {
  let place: TemporaryDirectory;
  let directory: string;
  before(async () => {
    place = await temporaryDirectory('heddle-dashboard');
    directory = await ensureDashboardBuilt(join(place.path, 'dist'));
  });

  after(() => place[Symbol.asyncDispose]());

  const builtAt = async (): Promise<number> => (await stat(join(directory, 'index.html'))).mtimeMs;

  test('is small', async (t) => {
    const names = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(files.map((file) => readFile(file)));
    const total = contents.reduce((sum, content) => sum + gzipSync(content).length, 0);
    t.diagnostic(`${total} bytes, compressed`);
    assert.ok(total < LARGEST_BYTES, `${total} bytes`);
  });

  test('holds nothing that a strict Content-Security-Policy forbids', async () => {
    const page = await readFile(join(directory, 'index.html'), 'utf8');
    assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    assert.doesNotMatch(page, /https?:|data:/);
  });

  test('is left alone while its sources are what it was built from', async () => {
    const before = await builtAt();
    await ensureDashboardBuilt(directory);
    assert.equal(await builtAt(), before);
  });

  test('is built anew once they are not', async () => {
    const before = await builtAt();
    await writeFile(join(directory, 'build-stamp.txt'), 'the hash of other sources');
    await ensureDashboardBuilt(directory);
    assert.notEqual(await builtAt(), before);
  });
});
