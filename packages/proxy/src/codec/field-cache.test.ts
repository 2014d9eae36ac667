import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FieldCache, largestHeldField } from './field-cache.ts';
import { Field, NotHeld } from './field.ts';
import { fieldNameCache } from './name-cache.ts';

const name = fieldNameCache.of('name');

function fromBytes(cache: FieldCache, value: string): Field {
  const bytes = Buffer.from(`<${value}>`, 'latin1');
  return cache.ofBytes(name, bytes, 1, bytes.length - 1);
}

test('a field is held from the second time on that it is seen, by its bytes or as a string', () => {
  const cache = new FieldCache(4, []);
  const first = fromBytes(cache, 'value');
  assert.equal(first.id, NotHeld.fresh);
  const second = cache.ofText(name, 'value', 0, 5);
  assert.notEqual(second, first);
  assert.equal(second.id, 0);
  assert.equal(fromBytes(cache, 'value'), second);
  assert.equal(cache.ofText(name, 'value', 0, 5), second);
});

test('a part of a text is found like bytes', () => {
  const cache = new FieldCache(4, []);
  const held = cache.hold(new Field(name, 'value'));
  assert.equal(cache.ofText(name, 'name: value\r\n', 6, 11), held);
  assert.notEqual(cache.ofText(name, 'name: value\r\n', 6, 10), held);
  assert.notEqual(cache.ofText(name, 'name: valu', 6, 10), held);
});

test('name and value are compared, not their hashes only', () => {
  const cache = new FieldCache(1, []);
  const held = cache.hold(new Field(name, 'value'));
  const other = fieldNameCache.of('other');
  for (const field of [
    fromBytes(cache, 'valuf'),
    cache.ofText(other, 'value', 0, 5),
    cache.ofText(name, 'valuee', 0, 6),
  ]) {
    assert.notEqual(field, held);
  }
  // A field that would be mistaken for it if nothing but hashes counted.
  const twin = new Field(name, 'twin');
  twin.hash = held.hash;
  assert.equal(cache.hold(twin), twin);
  assert.equal(fromBytes(cache, 'value'), held);
});

test('fields that come once drive out none that is in use', () => {
  const cache = new FieldCache(2, []);
  const used = Array.from({ length: 8 }, (_, i) => cache.hold(new Field(name, `used ${i}`)));
  for (let i = 0; i < 10_000; i++) {
    fromBytes(cache, `once ${i}`);
    fromBytes(cache, `used ${i % 8}`);
  }
  assert.ok(used.filter(({ id }) => id >= 0).length === 8);
});

test('it holds no more than it has places for, and gives numbers anew', () => {
  const cache = new FieldCache(2, []);
  const fields = Array.from({ length: 1000 }, (_, i) => cache.hold(new Field(name, `${i}`)));
  const ids = fields.filter(({ id }) => id >= 0).map(({ id }) => id);
  assert.ok(ids.length <= 16);
  assert.equal(new Set(ids).size, ids.length, 'no number is given twice');
  assert.ok(Math.max(...ids) < 16);
  assert.equal(fields[0]!.id, NotHeld.seen);
});

test('pinned fields have the first numbers and stay', () => {
  const pinned = [new Field('a', ''), new Field('b', '')];
  const cache = new FieldCache(1, pinned);
  for (let i = 0; i < 1000; i++) cache.hold(new Field(name, `${i}`));
  assert.deepEqual(
    pinned.map(({ id }) => id),
    [0, 1],
  );
  assert.equal(cache.ofText(fieldNameCache.of('a'), '', 0, 0), pinned[0]);
});

test('large fields and secrets are not held', () => {
  const cache = new FieldCache(4, []);
  const large = 'x'.repeat(largestHeldField - 32 - 3);
  for (let i = 0; i < 3; i++) assert.ok(fromBytes(cache, large).id < 0);
  assert.ok(cache.hold(new Field(name, large)).id < 0);
  assert.ok(cache.hold(new Field(name, large.slice(1))).id >= 0);
  assert.equal(cache.hold(new Field(name, 'secret', true)).id, NotHeld.never);
});

test('a field that equals one that is held gives way to it', () => {
  const cache = new FieldCache(4, []);
  const held = cache.hold(new Field(name, 'a'));
  const equal = new Field(name, 'a');
  assert.equal(cache.hold(equal), held);
  assert.equal(equal.id, NotHeld.fresh);
});

test('the memory that values are read from is not kept', () => {
  const cache = new FieldCache(4, []);
  const bytes = Buffer.from('value');
  const field = cache.ofBytes(name, bytes, 0, 5);
  bytes.fill(0);
  assert.equal(field.value, 'value');
});

test('what is kept of a head is no more than the value', () => {
  const cache = new FieldCache(64, []);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = Array.from({ length: 40 }, (_, i) => {
    const head = Buffer.alloc(1_000_000, `head ${i} `).toString('latin1');
    return cache.hold(new Field(head.slice(100, 120), head.slice(500, 600)));
  });
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  assert.ok(kept < 4_000_000, `${kept} bytes are kept`);
  assert.equal(held.filter(({ id }) => id >= 0).length, 40);
});
