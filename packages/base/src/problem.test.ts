import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from './problem.ts';

test('a problem reads like a compiler message', () => {
  const text = formatProblem({
    code: 'HEDDLE_UNKNOWN_FIELD',
    severity: 'error',
    message: 'unknown field',
    hint: "did you mean 'weight'?",
    file: 'a.yaml',
    line: 6,
    column: 3,
    path: 'spec.http[0].wieght',
  });
  assert.equal(
    text,
    "a.yaml:6:3: error HEDDLE_UNKNOWN_FIELD: spec.http[0].wieght: unknown field (did you mean 'weight'?)",
  );
});
