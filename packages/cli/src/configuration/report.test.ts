import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportProblems } from './report.ts';

const problems = Array.from({ length: 12 }, (_, index) => ({
  code: 'HEDDLE_UNKNOWN_FIELD',
  severity: 'error' as const,
  message: `unknown field 'f${index}'`,
}));

function printed(write: () => void): string {
  const original = process.stderr.write;
  let text = '';
  process.stderr.write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  try {
    write();
  } finally {
    process.stderr.write = original;
  }
  return text;
}

test('prints ten problems and how many more there are', () => {
  const text = printed(() => reportProblems(problems, []));
  assert.match(text, /'f9'[^]*\n… and 2 more\n$/);
  assert.doesNotMatch(text, /'f10'/);
  assert.doesNotMatch(
    printed(() => reportProblems(problems.slice(2), [])),
    /more/,
  );
});

test('prints all with HEDDLE_DEBUG=1', (t) => {
  const before = process.env['HEDDLE_DEBUG'];
  t.after(() => {
    if (before === undefined) delete process.env['HEDDLE_DEBUG'];
    else process.env['HEDDLE_DEBUG'] = before;
  });
  process.env['HEDDLE_DEBUG'] = '1';
  const text = printed(() => reportProblems(problems, []));
  assert.match(text, /'f11'/);
  assert.doesNotMatch(text, /more/);
});
