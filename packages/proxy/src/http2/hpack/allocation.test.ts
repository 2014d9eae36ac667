import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

interface Measured {
  /** Objects that all rounds together have allocated. */
  readonly objects: number;
  /** Bytes of the block that comes, and of the one that goes on. */
  readonly received: number;
  readonly written: number;
}

test('a header block that came before is read, checked and written without an object or a string', async () => {
  const program = fileURLToPath(new URL('allocation-under-test.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program]);
  const { rounds, indexed, withLiteral } = JSON.parse(stdout) as {
    readonly rounds: number;
    readonly indexed: Measured;
    readonly withLiteral: Measured;
  };
  // Ten fields, ten bytes.
  assert.deepEqual([indexed.received, indexed.written, withLiteral.written], [10, 10, 10], stdout);
  assert.ok(withLiteral.received > 40, stdout);
  // What the profiler itself leaves behind is there once, not for each round.
  assert.ok(indexed.objects < rounds / 100 && withLiteral.objects < rounds / 100, stdout);
});
