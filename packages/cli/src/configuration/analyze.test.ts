import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from './analyze.ts';

test('writes a finding in lines of 80 columns, with its place, path and hint', () => {
  const text = renderFinding({
    level: 'ERROR',
    problem: {
      code: 'IST0101',
      severity: 'error',
      message: `the host ${'a'.repeat(30)} of the rule ${'b'.repeat(40)} does not exist`,
      file: 'shop.yaml',
      line: 7,
      column: 3,
      path: 'spec.host',
      hint: 'did you mean reviews?',
    },
  });
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.every((line) => line.length <= 80));
  assert.equal(lines[0], 'shop.yaml:7:3: ERROR IST0101');
  assert.deepEqual(lines.slice(-2), ['  at spec.host', '  hint: did you mean reviews?']);
});
