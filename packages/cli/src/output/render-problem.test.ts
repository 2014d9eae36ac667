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

test('does not show a line that may hold a secret', () => {
  const text = renderProblem(
    { code: 'A', severity: 'error', message: 'bad', line: 1, column: 2 },
    '{"private_key": {"inline_string": "c2VjcmV0"}}',
  );
  assert.equal(text, '1:2: error: bad\n  1 | (not shown: a secret may stand here)\n  (A)\n');
});

test('does without what is not known', () => {
  const text = renderProblem({ code: 'IST0101', severity: 'warning', message: 'no such host' });
  assert.equal(text, 'warning: no such host\n  (IST0101)\n');
});

test('cuts a long line around the place', () => {
  const problem = { code: 'HEDDLE_YAML', severity: 'error', message: 'bad', line: 1 } as const;
  const shownAt = (source: string, column: number): readonly string[] =>
    renderProblem({ ...problem, column }, source, 40)
      .split('\n')
      .slice(1, 3);
  const long = 'a'.repeat(500) + 'X' + 'b'.repeat(500);
  for (const [column, expected] of [
    [1, /^ {2}1 \| a{32}…$/],
    [501, /^ {2}1 \| …a+Xb+…$/],
    [1001, /^ {2}1 \| …b{32}$/],
    [1002, /^ {2}1 \| …b{32}$/],
  ] as const) {
    const [line, caret] = shownAt(long, column);
    assert.match(line!, expected);
    assert.equal(line!.length, 39);
    assert.ok(caret!.length <= 40);
    assert.equal(line![caret!.indexOf('^')], long[column - 1], `column ${column}`);
  }
  const fits = 'c'.repeat(33);
  assert.equal(shownAt(fits, 34)[0], `  1 | ${fits}`);
});

test('shows control characters escaped, with the caret below the place', () => {
  const text = renderProblem(
    {
      code: 'A',
      severity: 'error',
      message: "unknown field '\u001b[31mred'\r\nerror: fake",
      hint: 'did you mean \u009b2J?',
      file: 'a\u001b.yaml',
      line: 2,
      column: 7,
      path: 'spec.\u202ered\0',
    },
    'a: 1\r\n\u001bb\rc: d\u2066\n',
  );
  assert.equal(
    text,
    [
      String.raw`a\x1b.yaml:2:7: error: unknown field '\x1b[31mred'\r\nerror: fake`,
      String.raw`  2 | \x1bb\rc: d\u2066`,
      `    | ${' '.repeat(10)}^`,
      String.raw`  at spec.\u202ered\x00 (A)`,
      String.raw`  hint: did you mean \x9b2J?`,
      '',
    ].join('\n'),
  );
});
