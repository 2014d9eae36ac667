import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { runChild } from '@heddle/testkit';

const directory = new URL('.', import.meta.url);
const files = readdirSync(directory).filter(
  (name) => name.endsWith('.ts') && !/^harness|\.test\.ts$/.test(name),
);

test('every micro-benchmark runs', async () => {
  assert.ok(files.length >= 7);
  for (const file of files) {
    const child = await runChild(process.execPath, {
      arguments: [new URL(file, directory).pathname, '--once'],
    });
    assert.equal(child.exit?.code, 0, `${file} fails:\n${child.output}`);
    assert.match(child.output, /^ran once$/m, file);
  }
});
