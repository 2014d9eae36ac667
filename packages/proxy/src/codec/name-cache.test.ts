import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldId } from './field-name.ts';
import { NameCache } from './name-cache.ts';

test('a name is one object, by its bytes or as a string', () => {
  const cache = new NameCache(4);
  const bytes = Buffer.from('xhostx');
  const name = cache.ofBytes(bytes, 1, 5);
  assert.deepEqual([name.text, name.fieldId, name.isRepeated], ['host', FieldId.host, false]);
  assert.equal(cache.of('host'), name);
  assert.equal(cache.ofBytes(bytes, 1, 5), name);
  assert.equal(name.isRepeated, true);
  assert.notEqual(cache.ofBytes(bytes, 1, 4), name);
});

test('in lines of HTTP/1, capitals make no other name', () => {
  const cache = new NameCache(4);
  const line = 'X-Request-ID: 1';
  const name = cache.ofLine(line, 0, 12);
  assert.equal(name.text, 'x-request-id');
  assert.equal(cache.ofLine(line.toUpperCase(), 0, 12), name);
  assert.equal(cache.of('x-request-id'), name);
  assert.equal(cache.ofBytes(Buffer.from('x-request-id'), 0, 12), name);
  assert.notEqual(cache.ofLine(line, 0, 11), name);
  // Characters that are 0x20 apart without being letters.
  const braced = cache.of('{a');
  assert.notEqual(cache.ofLine('[a', 0, 2), braced);
});

test('names that come once drive out none that is in use, and numbers are given anew', () => {
  const cache = new NameCache(1);
  const used = ['a', 'b', 'c', 'd'].map((text) => cache.of(text));
  const others = Array.from({ length: 1000 }, (_, i) => {
    cache.of('abcd'[i % 4]!);
    return cache.of(`other-${i}`);
  });
  assert.deepEqual(
    used.map(({ id }) => id),
    [0, 1, 2, 3],
  );
  const held = others.filter(({ id }) => id >= 0);
  assert.deepEqual(
    held.map(({ id }) => id).toSorted((a, b) => a - b),
    [4, 5, 6, 7],
  );
});

test('long names are not held', () => {
  const cache = new NameCache(4);
  const text = 'x'.repeat(129);
  assert.notEqual(cache.of(text), cache.of(text));
  assert.equal(cache.of(text).id, -1);
});

test('capitals make another name', () => {
  const cache = new NameCache(4);
  assert.notEqual(cache.of('Host'), cache.of('host'));
  assert.equal(cache.of('Host').fieldId, FieldId.other);
});

test('names that every object has are names like others', () => {
  const cache = new NameCache(4);
  for (const text of ['__proto__', 'constructor', 'toString', '']) assert.equal(cache.of(text).text, text);
});
