import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderError, usageError } from './cli-error.ts';

test('prints control characters of what was written escaped', () => {
  const text = renderError(usageError("there is no file '\u001b]0;x\u0007'", 'did you mean \u202ea?'), false);
  assert.ok(text.includes(String.raw`there is no file '\x1b]0;x\x07'`), text);
  assert.ok(text.includes(String.raw`did you mean \u202ea?`), text);
});
