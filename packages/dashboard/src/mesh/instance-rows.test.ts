import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSummary, ProxySummary } from '../generated/api.ts';
import { joinInstances } from './instance-rows.ts';

const endpoint = (instance: string): EndpointSummary => ({
  instance,
  service: 'reviews',
  namespace: 'shop',
  version: 'v1',
  address: '127.0.0.1',
  port: 1,
  servicePort: 9080,
  protocol: 'http',
  labels: {},
  identity: 'spiffe://cluster.local/ns/shop/sa/reviews',
  state: 'ready',
  since: 0,
  leaseExpiresAt: 0,
});

const proxy = (instance: string): ProxySummary => ({
  id: `sidecar~${instance}`,
  instance,
  namespace: 'shop',
  service: 'front',
  version: '',
  identity: 'spiffe://cluster.local/ns/shop/sa/front',
  remoteAddress: '127.0.0.1:1',
  connectedAt: 0,
  certificateNotAfter: 0,
  types: {},
  rejected: [],
});

test('joins an endpoint with the proxy of the same instance', () => {
  const [row, ...others] = joinInstances([endpoint('a')], [proxy('a')]);
  assert.deepEqual(others, []);
  assert.equal(row?.endpoint?.instance, 'a');
  assert.equal(row?.proxy?.instance, 'a');
  assert.equal(row?.service, 'reviews');
});

test('keeps an endpoint without a proxy, and a proxy without an endpoint', () => {
  const rows = joinInstances([endpoint('a')], [proxy('b')]);
  assert.deepEqual(
    rows.map((row) => [row.instance, row.service, row.endpoint !== null, row.proxy !== null]),
    [
      ['a', 'reviews', true, false],
      ['b', 'front', false, true],
    ],
  );
});
