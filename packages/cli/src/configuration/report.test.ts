import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { reportProblems } from './report.ts';

const problems = Array.from({ length: 12 }, (_, index) => ({
  code: 'HEDDLE_UNKNOWN_FIELD',
  severity: 'error' as const,
  message: `unknown field 'f${index}'`,
}));

function printed(t: TestContext, count: number): string {
  let text = '';
  const { mock } = t.mock.method(process.stderr, 'write', (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  });
  reportProblems(problems.slice(0, count), []);
  mock.restore();
  return text;
}

test('prints ten problems and how many more there are', (t) => {
  const text = printed(t, 12);
  assert.match(text, /'f9'[^]*\n… and 2 more\n$/);
  assert.doesNotMatch(text, /'f10'/);
  assert.doesNotMatch(printed(t, 10), /more/);
});

test('prints all with HEDDLE_DEBUG=1', (t) => {
  const before = process.env['HEDDLE_DEBUG'];
  t.after(() => {
    if (before === undefined) delete process.env['HEDDLE_DEBUG'];
    else process.env['HEDDLE_DEBUG'] = before;
  });
  process.env['HEDDLE_DEBUG'] = '1';
  const text = printed(t, 12);
  assert.match(text, /'f11'/);
  assert.doesNotMatch(text, /more/);
});
