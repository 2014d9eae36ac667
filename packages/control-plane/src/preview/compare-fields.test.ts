import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareFields } from './compare-fields.ts';

it('names the smallest fields that differ', () => {
  const before = { spec: { hosts: ['a'], http: [{ timeout: '1s', route: [{ weight: 1 }] }], gone: 1 } };
  const after = { spec: { hosts: ['a'], http: [{ timeout: '1s', route: [{ weight: 2 }] }], 'x.y': true } };
  assert.deepEqual(compareFields(before, after), [
    { path: 'spec.http[0].route[0].weight', before: 1, after: 2 },
    { path: 'spec.gone', before: 1 },
    { path: 'spec["x.y"]', after: true },
  ]);
  assert.deepEqual(compareFields(before, structuredClone(before)), []);
});

it('finds an item that was put in or taken out of a list', () => {
  assert.deepEqual(compareFields({ l: ['a', 'c'] }, { l: ['a', 'b', 'c'] }), [{ path: 'l[1]', after: 'b' }]);
  assert.deepEqual(compareFields({ l: ['a', 'b', 'c'] }, { l: ['a', 'c'] }), [{ path: 'l[1]', before: 'b' }]);
});

it('compares items by name where they have one, and says where only their order differs', () => {
  const a = { name: 'a', v: 1 };
  const b = { name: 'b', v: 1 };
  assert.deepEqual(compareFields([a, b], [b, { ...a, v: 2 }], true), [
    { path: '[a].v', before: 1, after: 2 },
  ]);
  assert.deepEqual(compareFields([a, b], [b, a], true), [
    { path: '', before: ['a', 'b'], after: ['b', 'a'] },
  ]);
  assert.deepEqual(compareFields([a], [a, a], true), [{ path: '[1]', after: a }]);
});
