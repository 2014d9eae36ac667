import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderProblem } from './render-problem.ts';

test('shows the place, the line with a caret, the path and what to do', () => {
  const text = renderProblem(
    {
      code: 'HEDDLE_UNKNOWN_FIELD',
      severity: 'error',
      message: "unknown field 'rout'",
      hint: "did you mean 'route'?",
      file: 'reviews.yaml',
      line: 2,
      column: 5,
      path: 'spec.http[0].rout',
    },
    'http:\n  - rout:\n',
  );
  assert.equal(
    text,
    [
      "reviews.yaml:2:5: error: unknown field 'rout'",
      '  2 |   - rout:',
      '    |     ^',
      '  at spec.http[0].rout (HEDDLE_UNKNOWN_FIELD)',
      "  hint: did you mean 'route'?",
      '',
    ].join('\n'),
  );
});

test('does without what is not known', () => {
  const text = renderProblem({ code: 'IST0101', severity: 'warning', message: 'no such host' });
  assert.equal(text, 'warning: no such host\n  (IST0101)\n');
});
