// Who needs a certificate of the mesh: modes in force, and callers that go by them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, callPlainly, change, friend, startMesh } from './support/security-mesh.ts';

const kind = 'PeerAuthentication';
const ok = 'HTTP/1.1 200 OK';

test('without a word everybody needs a certificate', async () => {
  const mesh = await startMesh();
  assert.deepEqual([await call(mesh, friend), await callPlainly(mesh)], ['200', '']);
});

test('PERMISSIVE takes callers with and without, and policies know which is which', async () => {
  const mesh = await startMesh();
  await change(mesh, 'apply', 'heddle-system/mesh', '{mtls: {mode: PERMISSIVE}}', kind);
  assert.deepEqual([await call(mesh, friend), await callPlainly(mesh)], ['200', ok]);
  await change(mesh, 'apply', 'default/known', '{rules: [{from: [{source: {principals: ["*"]}}]}]}');
  const forged = 'x-forwarded-client-cert: URI=spiffe://cluster.local/ns/default/sa/b\r\n';
  assert.equal(await call(mesh, friend), '200');
  assert.equal(await callPlainly(mesh, forged), 'HTTP/1.1 403 Forbidden');
});

test('the callers of whom needs no certificate show none, and back again', async () => {
  const mesh = await startMesh();
  assert.equal(await call(mesh, friend), '200');
  await change(
    mesh,
    'apply',
    'default/a',
    '{selector: {matchLabels: {app: a}}, mtls: {mode: DISABLE}}',
    kind,
  );
  assert.deepEqual([await call(mesh, friend), await callPlainly(mesh)], ['200', ok]);
  await change(mesh, 'apply', 'default/b', '{rules: [{from: [{source: {namespaces: [default]}}]}]}');
  assert.equal(await call(mesh, friend), '403 RBAC: access denied');
  await change(mesh, 'apply', 'default/a', '{selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}}', kind);
  assert.deepEqual([await call(mesh, friend), await callPlainly(mesh)], ['200', '']);
});

test('a port says for itself what holds', async () => {
  const mesh = await startMesh();
  const spec = '{selector: {matchLabels: {app: a}}, portLevelMtls: {"9080": {mode: PERMISSIVE}}}';
  await change(mesh, 'apply', 'default/a', spec, kind);
  assert.deepEqual([await call(mesh, friend), await callPlainly(mesh)], ['200', ok]);
});
