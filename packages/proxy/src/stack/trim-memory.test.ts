import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

// A process of its own: what other tests have compiled would be compiled again, and be in the way here.
const program = `
import { getHeapCodeStatistics } from 'node:v8';
import { trimMemory } from './trim-memory.ts';
const bytecode = () => getHeapCodeStatistics().bytecode_and_metadata_size;
const once = new Function('x', Array.from({ length: 5000 }, (_, i) => \`if (x === \${i}) return x * \${i};\`).join('\\n'));
const results = [once(4999)];
const compiled = bytecode();
trimMemory();
const trimmed = bytecode();
results.push(once(4999));
console.log(JSON.stringify({ compiled, trimmed, again: bytecode(), results, gc: typeof gc }));
`;

test('forgets code that nobody calls, which is compiled again for who does', () => {
  const output = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const { compiled, trimmed, again, results, gc } = JSON.parse(output) as Record<string, number>;
  assert.ok(trimmed! < compiled! - 50_000, `${compiled} bytes of code before, ${trimmed} after`);
  assert.ok(again! > trimmed! + 50_000, `${again} bytes once it was called`);
  assert.deepEqual(results, [4999 * 4999, 4999 * 4999]);
  assert.equal(gc, 'undefined', 'what it needs for itself is nobody else’s');
});
