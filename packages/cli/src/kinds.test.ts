import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKind } from './kinds.ts';

test('finds kinds that people write by any of their names', () => {
  const policy = {
    kind: 'AuthorizationPolicy',
    apiVersion: 'security.istio.io/v1',
    plural: 'authorizationpolicies',
  };
  assert.deepEqual(findKind('ap'), policy);
  assert.deepEqual(findKind('AuthorizationPolicies.security.istio.io'), policy);
});

test('names the second of two kinds of one name by its group', () => {
  const found = findKind('gtw');
  assert.equal(typeof found === 'string' ? found : found.plural, 'gateways.gateway.networking.k8s.io');
  const first = findKind('gateways');
  assert.equal(typeof first === 'string' ? first : first.apiVersion, 'networking.istio.io/v1');
});

test('takes services for those that run, and says of others that they are not stored', () => {
  assert.equal(findKind('svc'), 'services');
  assert.throws(() => findKind('deployments'), /deployments are not stored/);
  assert.throws(() => findKind('virtualservcie'), /did you mean 'virtualservices'/);
});
