import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safePattern } from './safe-pattern.ts';

function find(pattern: string, name: string): boolean {
  const compiled = safePattern(pattern);
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.value.test(name);
}

test('a pattern is looked for anywhere, and its anchors are those of the name', () => {
  assert.ok(find('rq_(total|2xx)$', 'cluster.be.upstream_rq_total'));
  assert.ok(!find('^rq', 'cluster.be.upstream_rq_total'));
  assert.ok(find('^cluster|^http', 'http.in.x'));
  assert.ok(find('', 'anything'));
  assert.ok(find('grün', 'cluster.grün.x'));
});

test('what RE2 has not is refused, brackets without partners too', () => {
  for (const pattern of ['[', 'a)(b', '(a)\\1', '(?=a)', '*']) {
    assert.ok(!safePattern(pattern).ok, pattern);
  }
});
