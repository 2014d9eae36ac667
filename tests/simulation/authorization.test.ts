// Policies in force in a mesh in memory: who is let in, and what becomes of connections when that changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, change, friend, startMesh, stranger } from './support/security-mesh.ts';

const denied = '403 RBAC: access denied';

test('policies of workload, namespace and mesh decide who is let in, and denials come first', async () => {
  const mesh = await startMesh();
  assert.deepEqual([await call(mesh, friend), await call(mesh, stranger)], ['200', '200']);

  // Nobody is let in where the namespace says so ...
  await change(mesh, 'apply', 'default/nothing', '{}');
  assert.deepEqual([await call(mesh, friend), await call(mesh, stranger)], [denied, denied]);

  // ... but for whom a policy of the workload names.
  const readers = `{selector: {matchLabels: {app: a}}, rules: [{from: [{source: {principals: [cluster.local/ns/default/sa/b]}}],
    to: [{operation: {methods: [GET], paths: ["/books/{*}"], ports: ["9080"]}}]}]}`;
  await change(mesh, 'apply', 'default/readers', readers);
  assert.equal(await call(mesh, friend, 'GET', '/books/1'), '200');
  assert.equal(await call(mesh, friend, 'GET', '/books/1?page=2'), '200');
  assert.equal(await call(mesh, friend, 'GET', '/books/1/2'), denied);
  assert.equal(await call(mesh, friend, 'POST', '/books/1'), denied);
  assert.equal(await call(mesh, stranger, 'GET', '/books/1'), denied);

  // What the mesh denies nobody allows.
  const noVersion = '{action: DENY, rules: [{to: [{operation: {paths: [/books/2]}}]}]}';
  await change(mesh, 'apply', 'heddle-system/closed', noVersion);
  assert.equal(await call(mesh, friend, 'GET', '/books/2'), denied);
  assert.equal(await call(mesh, friend, 'GET', '/books/3'), '200');

  await change(mesh, 'delete', 'default/nothing', '{}');
  await change(mesh, 'delete', 'heddle-system/closed', noVersion);
  await change(mesh, 'delete', 'default/readers', readers);
  assert.deepEqual([await call(mesh, friend), await call(mesh, stranger)], ['200', '200']);
});

test('callers are known by their namespace, whatever they say of themselves', async () => {
  const mesh = await startMesh();
  await change(mesh, 'apply', 'default/a', '{rules: [{from: [{source: {namespaces: [shop]}}]}]}');
  assert.deepEqual([await call(mesh, friend), await call(mesh, stranger)], [denied, '200']);
  await change(mesh, 'apply', 'default/a', '{rules: [{from: [{source: {notNamespaces: [shop]}}]}]}');
  assert.deepEqual([await call(mesh, friend), await call(mesh, stranger)], ['200', denied]);
});

test('who would have to be asked is denied, and so is whoever needs a token that nobody verifies', async () => {
  const mesh = await startMesh();
  const custom = '{action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: [/asked]}}]}]}';
  await change(mesh, 'apply', 'default/custom', custom);
  assert.deepEqual([await call(mesh, friend, 'GET', '/asked'), await call(mesh, friend)], [denied, '200']);
  const tokens = '{rules: [{from: [{source: {notRequestPrincipals: [evil]}}]}]}';
  await change(mesh, 'apply', 'default/tokens', tokens);
  assert.equal(await call(mesh, friend), denied);
});

test('a policy that is changed while requests run ends none of them', async () => {
  const mesh = await startMesh();
  const running = call(mesh, friend, 'GET', '/?delay=600');
  await mesh.clock.advanceAsync(100);
  await change(mesh, 'apply', 'default/nothing', '{}');
  assert.equal(await call(mesh, friend), denied);
  assert.equal(await running, '200');
});

test('a dry run lets everybody through', async () => {
  const mesh = await startMesh();
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: trial, namespace: default, annotations: {istio.io/dry-run: "true"}}
spec: {}
`;
  const request = { files: [{ name: 'policy.yaml', text }], namespace: 'default' };
  assert.ok((await mesh.controlPlane.core.configuration.apply(request, 'simulation')).ok);
  await mesh.clock.advanceAsync(200);
  assert.equal(await call(mesh, friend), '200');
});
