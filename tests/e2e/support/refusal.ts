// What a refusal by `heddle` must look like.
import assert from 'node:assert/strict';
import type { Child } from '@heddle/testkit';

/** A line of a stack trace, or what Node.js prints of an error that nobody caught. */
const traces = [
  /^\s+at .+[:(]\d+:\d+\)?$/m,
  /node:internal/,
  /^\w*Error: /m,
  /file:\/\//,
  /unexpected failure/,
];

/**
 * Asserts that `heddle` has ended with this code and with one clear sentence: `error: … (HEDDLE_…)`, followed by at
 * most one line `hint: …`, and by nothing that only a programmer could read.
 */
export function assertRefused(child: Child, code: number, sentence: RegExp): void {
  const shown = `${child.name} printed:\n${child.output}`;
  assert.deepEqual(child.exit, { code, signal: null }, shown);
  assert.equal(child.stdout, '', shown);
  const lines = child.stderr.split('\n').filter((line) => line !== '');
  const errors = lines.filter((line) => line.startsWith('error: '));
  assert.equal(errors.length, 1, shown);
  assert.match(errors[0]!, sentence, shown);
  // One sentence: nothing follows its end but the code.
  assert.match(errors[0]!, /^error: [^\n]+ \(HEDDLE_[A-Z_]+\)$/, shown);
  const others = lines.filter((line) => !line.startsWith('error: '));
  assert.ok(others.length <= 1 && others.every((line) => line.startsWith('hint: ')), shown);
  assertNoTrace(child);
}

/** Asserts that nothing in the output comes from the inside of the program. */
export function assertNoTrace(child: Child): void {
  for (const trace of traces) assert.doesNotMatch(child.output, trace, child.name);
}
