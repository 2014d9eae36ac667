import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyFieldMask } from './field-mask.ts';

const value = {
  '@type': 't',
  cluster: { '@type': 'c', name: 'be', endpoints: [{ port: 1, host: 'a' }, { host: 'b' }] },
  version: '1',
};

test('keeps what a path names, with the types on the way', () => {
  assert.deepEqual(applyFieldMask(value, 'cluster.name'), {
    '@type': 't',
    cluster: { '@type': 'c', name: 'be' },
  });
  assert.deepEqual(applyFieldMask(value, 'cluster.endpoints.port,version'), {
    '@type': 't',
    cluster: { '@type': 'c', endpoints: [{ port: 1 }] },
    version: '1',
  });
  assert.deepEqual(applyFieldMask(value, 'cluster'), { '@type': 't', cluster: value.cluster });
});

test('leaves nothing where no path leads anywhere', () => {
  assert.equal(applyFieldMask(value, 'cluster.nope'), null);
  assert.equal(applyFieldMask(value, 'version.major'), null);
});
