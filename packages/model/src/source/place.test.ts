import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatPath, parsePath } from './place.ts';

test('writes a path as people write it', () => {
  assert.equal(formatPath(['spec', 'http', 0, 'route', 1, 'weight']), 'spec.http[0].route[1].weight');
  assert.equal(
    formatPath(['metadata', 'labels', 'app.kubernetes.io/name']),
    'metadata.labels["app.kubernetes.io/name"]',
  );
  assert.equal(formatPath([]), '');
});

test('reads back every path it wrote', () => {
  const step = fc.oneof(fc.nat(1000), fc.string(), fc.constantFrom('a"b', 'x]y', 'a.b', '0', ''));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (path) => {
      assert.deepEqual(parsePath(formatPath(path)), path);
    }),
  );
});
