import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectWithStatus } from '../generated/api.ts';
import { expandHost, relationOf } from './host.ts';

const reviews = { name: 'reviews', namespace: 'shop', host: 'reviews.shop.svc.cluster.local' };

function object(kind: string, namespace: string, spec: Record<string, unknown>): ObjectWithStatus {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name: 'x', namespace, resourceVersion: '1', generation: 1, creationTimestamp: '' },
    spec,
    status: {
      accepted: true,
      observedGeneration: 1,
      conditions: [],
      warnings: [],
      proxies: { acknowledged: 0, total: 0 },
    },
  };
}

test('expands a short name with the namespace of the object, and leaves names with dots alone', () => {
  assert.equal(expandHost('reviews', 'shop', 'cluster.local'), 'reviews.shop.svc.cluster.local');
  assert.equal(expandHost('reviews.shop', 'other', 'cluster.local'), 'reviews.shop');
  assert.equal(expandHost('*', 'shop', 'cluster.local'), '*');
});

test('finds the rules that govern a service', () => {
  const governs = (kind: string, namespace: string, spec: Record<string, unknown>): unknown =>
    relationOf(object(kind, namespace, spec), reviews);
  assert.equal(governs('VirtualService', 'shop', { hosts: ['reviews'] }), 'governs');
  assert.equal(governs('VirtualService', 'other', { hosts: ['reviews'] }), null);
  assert.equal(governs('VirtualService', 'other', { hosts: ['a', reviews.host] }), 'governs');
  assert.equal(governs('VirtualService', 'other', { hosts: ['*.shop.svc.cluster.local'] }), 'governs');
  assert.equal(governs('VirtualService', 'other', { hosts: ['*'] }), 'governs');
  assert.equal(governs('DestinationRule', 'shop', { host: 'reviews' }), 'governs');
  assert.equal(governs('DestinationRule', 'shop', { host: 'ratings' }), null);
});

test('finds routes of other hosts that lead to a service, mirrors among them', () => {
  const routes = (route: unknown): unknown =>
    relationOf(object('VirtualService', 'shop', { hosts: ['front'], http: [route] }), reviews);
  assert.equal(
    routes({ route: [{ destination: { host: 'ratings' } }, { destination: { host: 'reviews' } }] }),
    'leads-here',
  );
  assert.equal(routes({ mirror: { host: 'reviews' } }), 'leads-here');
  assert.equal(routes({ mirrors: [{ destination: { host: 'reviews' } }] }), 'leads-here');
  assert.equal(routes({ route: [{ destination: { host: 'ratings' } }] }), null);
});

test('expands with the domain of the service', () => {
  const elsewhere = { ...reviews, host: 'reviews.shop.svc.example.org' };
  assert.equal(relationOf(object('VirtualService', 'shop', { hosts: ['reviews'] }), elsewhere), 'governs');
});
