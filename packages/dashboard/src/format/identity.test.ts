import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIdentity } from './identity.ts';

test('takes a workload identity apart', () => {
  assert.deepEqual(parseIdentity('spiffe://cluster.local/ns/shop/sa/reviews'), {
    trustDomain: 'cluster.local',
    namespace: 'shop',
    account: 'reviews',
  });
});

test('keeps the path of an identity of another form', () => {
  assert.deepEqual(parseIdentity('spiffe://example.org/agents/7'), {
    trustDomain: 'example.org',
    namespace: '',
    account: 'agents/7',
  });
  assert.deepEqual(parseIdentity('spiffe://cluster.local'), {
    trustDomain: 'cluster.local',
    namespace: '',
    account: '',
  });
});

test('does not take another URI for an identity', () => {
  assert.equal(parseIdentity('https://cluster.local/ns/a/sa/b'), null);
});
