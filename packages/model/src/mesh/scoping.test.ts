import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import type { StoredObject } from '../manifest/object.ts';
import { service } from '../testing/objects.ts';
import { MeshCompiler, viewOf } from './mesh-compiler.ts';
import { isCovered } from './scoping.ts';

const sidecar = (name: string, namespace: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
---`;

function objects(text: string): StoredObject[] {
  const { objects: parsed, problems } = parseManifests([{ name: 'f', text }], { namespace: 'default' });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return parsed.map(({ object }, index) => ({ object, createdRevision: index + 1 }));
}

function meshWith(text: string): MeshCompiler {
  const compiler = new MeshCompiler();
  compiler.apply({
    objects: objects(text),
    services: [
      service('web', 80),
      service('api', 80),
      { ...service('db', 80), namespace: 'data', host: 'db.data.svc.cluster.local' },
    ],
  });
  return compiler;
}

function seen(compiler: MeshCompiler, namespace: string, labels: Record<string, string> = {}): string[] {
  const { egress } = compiler.model.scoping.resolve(namespace, labels);
  return [...compiler.model.hosts.values()]
    .filter((host) => isCovered(egress, host, viewOf(host, namespace)))
    .map(({ host }) => host.split('.')[0]!)
    .sort();
}

test('the most particular Sidecar decides: by labels, of the namespace, of the mesh, the oldest first', () => {
  const compiler = meshWith(
    sidecar('mesh', 'heddle-system', '{egress: [{hosts: ["./*"]}]}') +
      sidecar('young', 'shop', '{egress: [{hosts: ["~/*"]}]}') +
      sidecar('all', 'data', '{egress: [{hosts: ["*/*"]}]}') +
      sidecar(
        'one',
        'data',
        '{workloadSelector: {labels: {app: x, v: "1"}}, egress: [{hosts: ["default/api.default.svc.cluster.local"]}]}',
      ),
  );
  // The dot of the mesh's Sidecar is the namespace of each proxy.
  assert.deepEqual(seen(compiler, 'default'), ['api', 'web']);
  assert.deepEqual(seen(compiler, 'shop'), []);
  assert.deepEqual(seen(compiler, 'data'), ['api', 'db', 'web']);
  assert.deepEqual(seen(compiler, 'data', { app: 'x' }), ['api', 'db', 'web']);
  assert.deepEqual(seen(compiler, 'data', { v: '1', app: 'x' }), ['api']);
});

test('a namespace with a tilde takes hosts away', () => {
  const compiler = meshWith(sidecar('s', 'default', '{egress: [{hosts: ["*/*", "~data/*"]}]}'));
  assert.deepEqual(seen(compiler, 'default'), ['api', 'web']);
});

test('proxies that see the same have one key, whoever says so', () => {
  const compiler = meshWith(
    sidecar('a', 'default', '{workloadSelector: {labels: {app: a}}, egress: [{hosts: ["./*", "data/*"]}]}') +
      sidecar(
        'b',
        'default',
        '{workloadSelector: {labels: {app: b}}, egress: [{hosts: ["data/*"]}, {hosts: ["./*"]}]}',
      ),
  );
  const { scoping } = compiler.model;
  assert.equal(scoping.resolve('default', { app: 'a' }).key, scoping.resolve('default', { app: 'b' }).key);
  assert.notEqual(scoping.resolve('default', {}).key, scoping.resolve('data', {}).key);
});

test('unknown hosts are as the Sidecar says, or else the mesh', () => {
  const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}
---`;
  const compiler = meshWith(
    settings + sidecar('open', 'default', '{outboundTrafficPolicy: {mode: ALLOW_ANY}}'),
  );
  const { scoping } = compiler.model;
  assert.equal(scoping.resolve('default', {}).isRegistryOnly, false);
  assert.equal(scoping.resolve('default', {}).egress, null);
  assert.equal(scoping.resolve('data', {}).isRegistryOnly, true);
  compiler.apply({
    deletedObjects: [{ group: '', kind: 'ConfigMap', namespace: 'istio-system', name: 'istio' }],
  });
  assert.equal(compiler.model.scoping.resolve('data', {}).isRegistryOnly, false);
});
