import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectServices, isInSubset } from './services.ts';

test('makes services of instances: the ports of all, sorted, each once', () => {
  const instance = { namespace: 'default', service: 'reviews', protocol: 'http' };
  const services = collectServices([
    { ...instance, servicePort: 9081 },
    { ...instance, servicePort: 9080 },
    { ...instance, servicePort: 9080 },
    { ...instance, namespace: 'shop', servicePort: 80 },
  ]);
  assert.deepEqual(
    [...services].map(([host, { ports }]) => `${host} ${ports.map(({ number }) => number).join(',')}`),
    ['reviews.default.svc.cluster.local 9080,9081', 'reviews.shop.svc.cluster.local 80'],
  );
});

test('counts an instance to a subset when it carries all its labels', () => {
  const subset = { name: 'v1', labels: { version: 'v1', zone: 'a' } };
  assert.equal(isInSubset(subset, { version: 'v1', zone: 'a', app: 'x' }), true);
  assert.equal(isInSubset(subset, { version: 'v1' }), false);
  assert.equal(isInSubset({ name: 'all', labels: {} }, {}), true);
});
