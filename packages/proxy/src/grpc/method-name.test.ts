import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methodName, methodPath } from './method-name.ts';

test('a path of two parts names a method, with or without a query and further slashes', () => {
  for (const path of ['/a.b.S/M', '/a.b.S/M?x=/y/z', '//a.b.S//M', '/a.b.S/M/', 'a.b.S/M']) {
    assert.equal(methodPath(path), '/a.b.S/M', path);
  }
  assert.deepEqual(methodName('/a.b.S/M'), { service: 'a.b.S', method: 'M' });
});

test('other paths name none', () => {
  for (const path of ['', '/', '//', '/a', '/a/', '/a/b/c', '*', '/?a/b', `/a/${'b'.repeat(300)}`]) {
    assert.equal(methodPath(path), '', path);
  }
});
