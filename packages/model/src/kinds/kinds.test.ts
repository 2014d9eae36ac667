import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import { findKind, kinds } from './kinds.ts';

test('finds a kind by every name that kubectl takes', () => {
  for (const name of [
    'vs',
    'virtualservice',
    'virtualservices',
    'VirtualService',
    'virtualservices.networking.istio.io',
  ]) {
    assert.equal(findKind(name)?.kind, 'VirtualService', name);
  }
  assert.equal(findKind('dr')?.plural, 'destinationrules');
  assert.equal(findKind('policies'), undefined);
  assert.equal(findKind('authorizationpolicies')?.shortNames[0], 'ap');
  assert.equal(findKind('gateways')?.group, 'networking.istio.io');
  assert.equal(findKind('gateways.gateway.networking.k8s.io')?.group, 'gateway.networking.k8s.io');
  assert.equal(findKind('gatewayclasses')?.isNamespaced, false);
});

test('prints the columns that kubectl prints', () => {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec: {hosts: [reviews, a.b], gateways: [mesh], http: [{route: [{destination: {host: reviews}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews}
`;
  const { objects } = parseManifests([{ name: 'f', text }], { namespace: 'default' });
  const rows = objects.map(({ object }) => {
    const columns = kinds.find(({ kind }) => kind === object.kind)!.columns;
    return columns.map(({ name, value }) => `${name}=${value?.(object)}`);
  });
  assert.deepEqual(rows, [
    ['Gateways=["mesh"]', 'Hosts=["reviews","a.b"]', 'Age=undefined'],
    ['Host=reviews', 'Age=undefined'],
  ]);
});

test('says of every kind that is only stored what it does not do', () => {
  const effective = kinds.filter(({ noEffect }) => noEffect === null).map(({ kind }) => kind);
  assert.deepEqual(effective, [
    'VirtualService',
    'DestinationRule',
    'ServiceEntry',
    'Sidecar',
    'WorkloadEntry',
    'EnvoyFilter',
    'PeerAuthentication',
    'AuthorizationPolicy',
    'HTTPRoute',
    'GRPCRoute',
    'ReferenceGrant',
    'Service',
    'EndpointSlice',
  ]);
});
