import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeConfig } from './merge-config.ts';

test('merges objects by member, appends lists, and takes the second value of anything else', () => {
  assert.deepEqual(
    mergeConfig({ a: 1, b: { c: [1], d: 'x' }, e: null }, { a: 2, b: { c: [2], f: true }, e: { g: 1 } }),
    { a: 2, b: { c: [1, 2], d: 'x', f: true }, e: { g: 1 } },
  );
});

test('a member called __proto__ is a member like any other', () => {
  const merged = mergeConfig(JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {"b": 2}}'));
  assert.equal(JSON.stringify(merged), '{"__proto__":{"a":1,"b":2}}');
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
});
