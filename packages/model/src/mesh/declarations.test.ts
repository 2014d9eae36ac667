import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';
import type { StoredObject } from '../manifest/object.ts';
import { keyOf } from '../manifest/object.ts';
import { service } from '../testing/objects.ts';
import { MeshCompiler, viewOf } from './mesh-compiler.ts';

/** Objects as people write them, each younger than the one before. */
function objects(text: string, namespace = 'default'): StoredObject[] {
  const parsed = parseManifests([{ name: 'f', text }], { namespace });
  assert.deepEqual(
    parsed.problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return parsed.objects.map(({ object }, index) => ({ object, createdRevision: index + 1 }));
}

const entry = (name: string, spec: string, namespace = 'default'): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
---`;

const vm = (name: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}}
spec: ${spec}
---`;

const api = 'api.example.org';

function declaredIn(compiler: MeshCompiler, host: string, namespace = 'default') {
  const found = compiler.model.hosts.get(host);
  return found === undefined ? undefined : viewOf(found, namespace).declared;
}

test('a ServiceEntry makes a host of each of its names, with their ports', () => {
  const compiler = new MeshCompiler();
  const spec = `{hosts: [${api}, "*.example.org"], resolution: DNS,
    ports: [{number: 443, name: tls, protocol: HTTPS}, {number: 80, name: web, protocol: HTTP, targetPort: 8080}]}`;
  const { changedHosts } = compiler.apply({ objects: objects(entry('a', spec)) });
  assert.deepEqual([...changedHosts].sort(), ['*.example.org', api]);
  const host = compiler.model.hosts.get(api)!;
  assert.deepEqual(
    host.shared.ports.map(({ port, protocol }) => [port, protocol]),
    [
      [80, 'http'],
      [443, 'tls'],
    ],
  );
  assert.equal(host.shared.declared?.isExternal, true);
  // Who names no endpoint means the name itself; a wildcard is none to look up.
  assert.deepEqual(
    host.shared.declared.endpoints.map(({ address }) => address),
    [api],
  );
  assert.deepEqual(declaredIn(compiler, '*.example.org')?.endpoints, []);
  compiler.apply({ deletedObjects: objects(entry('a', spec)).map(({ object }) => keyOf(object)) });
  assert.equal(compiler.model.hosts.size, 0);
});

test('WorkloadEntries come and go with their labels', () => {
  const compiler = new MeshCompiler();
  const spec = `{hosts: [db.internal], location: MESH_INTERNAL, resolution: STATIC,
    ports: [{number: 5432, name: pg, protocol: TCP}], workloadSelector: {labels: {app: db}}}`;
  compiler.apply({ objects: objects(entry('db', spec)) });
  const addresses = () => declaredIn(compiler, 'db.internal')?.endpoints.map(({ address }) => address);
  assert.deepEqual(addresses(), []);
  const workload = '{address: 10.0.0.7, labels: {app: db}, serviceAccount: db, ports: {pg: 6432}, weight: 3}';
  const { changedHosts } = compiler.apply({ objects: objects(vm('one', workload)) });
  assert.deepEqual([...changedHosts], ['db.internal']);
  const [endpoint] = declaredIn(compiler, 'db.internal')!.endpoints;
  assert.deepEqual(endpoint?.identity, { namespace: 'default', serviceAccount: 'db' });
  assert.deepEqual([endpoint.weight, endpoint.ports], [3, { pg: 6432 }]);
  compiler.apply({ objects: objects(vm('one', '{address: 10.0.0.7, labels: {app: other}}')) });
  assert.deepEqual(addresses(), []);
  assert.equal(compiler.apply({ objects: objects(vm('two', '{address: 10.0.0.8}')) }).changedHosts.size, 0);
});

test('who may not see a service sees no ports of it', () => {
  const compiler = new MeshCompiler();
  const spec = (exportTo: string): string =>
    `{hosts: [${api}], resolution: DNS, ports: [{number: 80, name: web, protocol: HTTP}], exportTo: ["${exportTo}"]}`;
  compiler.apply({ objects: objects(entry('a', spec('.'), 'shop')) });
  const portsFor = (namespace: string) => viewOf(compiler.model.hosts.get(api)!, namespace).ports.length;
  assert.deepEqual([portsFor('shop'), portsFor('default')], [1, 0]);
  compiler.apply({ objects: objects(entry('a', spec('default'), 'shop')) });
  assert.deepEqual([portsFor('shop'), portsFor('default')], [0, 1]);
});

test('each namespace sees its own declaration of a host, the others the oldest', () => {
  const compiler = new MeshCompiler();
  const spec = (port: number): string =>
    `{hosts: [${api}], resolution: DNS, ports: [{number: ${port}, name: web, protocol: HTTP}]}`;
  compiler.apply({
    objects: objects(
      entry('a', spec(80), 'one') + entry('b', spec(8080), 'two') + entry('c', spec(81), 'two'),
    ),
  });
  const portsFor = (namespace: string) =>
    viewOf(compiler.model.hosts.get(api)!, namespace).ports.map(({ port }) => port);
  assert.deepEqual(portsFor('one'), [80]);
  assert.deepEqual(portsFor('two'), [81, 8080]);
  assert.deepEqual(portsFor('three'), [80]);
});

test('nobody makes something else of a service that runs', () => {
  const compiler = new MeshCompiler();
  compiler.apply({ services: [service('reviews', 9080)] });
  const host = 'reviews.default.svc.cluster.local';
  const spec = `{hosts: [${host}], resolution: STATIC, location: MESH_INTERNAL, endpoints: [{address: 10.6.6.6}],
    ports: [{number: 9080, name: http, protocol: HTTP}]}`;
  compiler.apply({ objects: objects(entry('evil', spec, 'other')) });
  assert.equal(declaredIn(compiler, host), undefined);
  compiler.apply({ objects: objects(entry('own', spec)) });
  assert.equal(declaredIn(compiler, host)?.endpoints.length, 1);
});

test('Services and their EndpointSlices are services', () => {
  const compiler = new MeshCompiler();
  const text = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.7
  ports: [{name: grpc, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: grpc, port: 8081}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {ready: false}}
`;
  compiler.apply({ objects: objects(text) });
  const declared = declaredIn(compiler, 'web.default.svc.cluster.local')!;
  assert.deepEqual(declared.ports, [{ number: 80, protocol: 'grpc', name: 'grpc', targetPort: 8080 }]);
  assert.deepEqual(declared.addresses, ['10.96.0.7']);
  assert.deepEqual(
    declared.endpoints.map(({ address, ports }) => [address, ports]),
    [['10.0.0.1', { grpc: 8081 }]],
  );
});
