import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import type { StoredObject } from '../manifest/object.ts';
import { keyOf } from '../manifest/object.ts';
import { PolicyIndex } from './policy-index.ts';

function policies(...written: [namespace: string, name: string, spec: string][]): StoredObject[] {
  return written.map(([namespace, name, spec], index) => {
    const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
    const { objects, problems } = parseManifests([{ name: 'f.yaml', text }], { namespace: 'default' });
    assert.ok(objects.length === 1, JSON.stringify(problems));
    return { object: objects[0]!.object, createdRevision: index };
  });
}

const reviews = { namespace: 'shop', service: 'reviews', labels: { app: 'reviews', version: 'v1' } };
const ratings = { namespace: 'shop', service: 'ratings', labels: { app: 'ratings' } };
const other = { namespace: 'other', service: 'reviews', labels: { app: 'reviews' } };

function namesFor(index: PolicyIndex, workload: typeof ratings): string {
  return index
    .policiesFor(workload)
    .authorization.map(({ metadata }) => metadata.name)
    .join(' ');
}

test('a policy is for the workloads of its namespace that have its labels, one of the root namespace for all namespaces', () => {
  const index = new PolicyIndex('root');
  index.apply({
    objects: policies(
      ['root', 'everywhere', '{}'],
      ['root', 'labelled', '{selector: {matchLabels: {app: reviews}}}'],
      ['shop', 'all', '{selector: {matchLabels: {}}}'],
      ['shop', 'both', '{selector: {matchLabels: {app: reviews, version: v1}}}'],
      ['shop', 'wrong', '{selector: {matchLabels: {app: reviews, version: v2}}}'],
    ),
  });
  assert.equal(namesFor(index, reviews), 'everywhere labelled all both');
  assert.equal(namesFor(index, ratings), 'everywhere all');
  assert.equal(namesFor(index, other), 'everywhere labelled');
});

test('a policy with targets is for the instances of services in its namespace that it names, and for no gateway’s', () => {
  const index = new PolicyIndex('root');
  const service = '{targetRefs: [{kind: Service, name: reviews}, {kind: Service, name: x}]}';
  const gateway = '{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: reviews}]}';
  index.apply({ objects: policies(['shop', 'service', service], ['shop', 'gateway', gateway]) });
  assert.equal(namesFor(index, reviews), 'service');
  assert.equal(namesFor(index, ratings), '');
  assert.equal(namesFor(index, other), '');
});

test('workloads with the same policies share them, and keep them through changes that are not theirs', () => {
  const index = new PolicyIndex('root');
  const [all, own] = policies(['shop', 'all', '{}'], ['shop', 'own', '{selector: {matchLabels: {app: x}}}']);
  assert.deepEqual([...index.apply({ objects: [all!] })], ['AuthorizationPolicy']);
  const before = index.policiesFor(reviews);
  assert.equal(index.policiesFor(ratings), before);
  assert.equal(index.apply({ objects: [own!] }).size, 1);
  assert.equal(index.policiesFor(reviews), before);
  assert.equal(index.policiesFor(ratings), before);
  assert.equal(index.apply({ deletedObjects: [keyOf(all!.object)] }).size, 1);
  assert.equal(namesFor(index, reviews), '');
  assert.equal(index.apply({ deletedObjects: [keyOf(all!.object)] }).size, 0);
});

test('another version of a policy makes another object', () => {
  const index = new PolicyIndex('root');
  index.apply({ objects: policies(['shop', 'all', '{}']) });
  const before = index.policiesFor(reviews);
  index.apply({ objects: policies(['shop', 'all', '{rules: [{}]}']) });
  assert.notEqual(index.policiesFor(reviews), before);
  assert.deepEqual(index.policiesFor(reviews).authorization[0]?.spec.rules, [{}]);
});
