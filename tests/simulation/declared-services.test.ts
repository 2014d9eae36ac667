// Services that objects declare, and who may reach them, in a mesh in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileHostResources, type MemberSource } from '@heddle/control-plane/compile/host-resources.ts';
import { compileMesh, parseManifests } from '@heddle/model';
import { compileCluster } from '@heddle/proxy/config/compile-cluster.ts';
import { compileEndpoints } from '@heddle/proxy/config/compile-endpoints.ts';
import { ProblemList } from '@heddle/proxy/config/problem-list.ts';
import { TypeUrl, unpackAny, type EncodedResource } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import type { HttpReply } from './support/http-client.ts';
import { friend, startMesh, stranger } from './support/security-mesh.ts';
import type { SimulatedMesh } from './support/simulated-mesh.ts';
import { ports } from './support/topology.ts';

const outside = { host: '10.99.0.1', port: 8080 };
const answer = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';

/** A server that knows nothing of the mesh. */
async function startOutside(mesh: SimulatedMesh): Promise<void> {
  const node = mesh.network.addNode({ name: 'outside', addresses: [outside.host] });
  await node.listen({ address: outside, security: null }, (connection) => ({
    onConnect: () => undefined,
    onData: () => void connection.writeLatin1(answer),
    onEnd: () => connection.end(),
    onDrain: () => undefined,
    onClose: () => undefined,
  }));
}

async function ask(mesh: SimulatedMesh, caller: string, host: string): Promise<number> {
  const replies: HttpReply[] = [];
  const request = {
    port: ports.outboundProxy,
    method: 'GET',
    target: `http://${host}/`,
    headers: { host },
    body: Buffer.alloc(0),
    isChunked: false,
  } as const;
  mesh.workload(caller).client!.send(request, (reply) => replies.push(reply));
  await mesh.until('there is an answer', () => replies.length > 0, 20_000);
  return replies[0]!.status;
}

async function apply(mesh: SimulatedMesh, text: string): Promise<void> {
  const request = { files: [{ name: 'a.yaml', text }], namespace: 'default' };
  const done = await mesh.controlPlane.core.configuration.apply(request, 'simulation');
  assert.ok(done.ok, JSON.stringify(done));
  await mesh.clock.advanceAsync(100);
  await mesh.until('it is in force', () => mesh.isSynced, 5000);
}

test('requests leave the mesh for what is declared, for whom it is, until a Sidecar says otherwise', async () => {
  const mesh = await startMesh();
  await startOutside(mesh);
  const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [api.example]
  exportTo: ["."]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: ${outside.port}}]
  endpoints: [{address: ${outside.host}}]
`;
  await apply(mesh, entry);
  assert.equal(await ask(mesh, friend, 'api.example'), 202);
  assert.notEqual(await ask(mesh, stranger, 'api.example'), 202);
  assert.equal(await ask(mesh, friend, 'a.default:9080'), 200);
  const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: few}
spec:
  egress: [{hosts: ["*/a.default.svc.cluster.local"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
`;
  await apply(mesh, sidecar);
  assert.equal(await ask(mesh, friend, 'api.example'), 502);
  assert.equal(await ask(mesh, friend, 'a.default:9080'), 200);
  await apply(mesh, sidecar.replace('"*/a.default.svc.cluster.local"', '"./*"'));
  assert.equal(await ask(mesh, friend, 'api.example'), 202);
});

const nobody: MemberSource = {
  members: () => undefined,
  selected: () => [],
  identityOf: ({ namespace, serviceAccount }) =>
    `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`,
};

const portList = `ports:
  - {number: 80, name: web, protocol: HTTP}
  - {number: 82, name: h2, protocol: GRPC}
  - {number: 443, name: tls, protocol: TLS}
  - {number: 3306, name: raw, protocol: TCP}`;

function everyResolution(): string {
  const endpoints =
    'endpoints: [{address: 10.0.0.1, locality: a/b/c, weight: 2}, {address: 10.0.0.2, serviceAccount: x}]';
  const specs: Record<string, string> = {
    none: 'resolution: NONE',
    static: `resolution: STATIC\n  ${endpoints}`,
    inside: `resolution: STATIC\n  location: MESH_INTERNAL\n  ${endpoints}`,
    socket: 'resolution: STATIC\n  endpoints: [{address: unix:///run/a.sock}]',
    dns: 'resolution: DNS',
    first: 'resolution: DNS_ROUND_ROBIN',
    dynamic: 'resolution: DYNAMIC_DNS',
  };
  return Object.entries(specs)
    .map(
      ([name, spec]) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec:
  hosts: [${name}.example]
  ${spec}
  ${portList}
`,
    )
    .join('---');
}

function contentOf({ bytes }: EncodedResource) {
  return Resource.decode(bytes).resource ?? assert.fail();
}

test('a sidecar takes the clusters and endpoints of every resolution and protocol', () => {
  const { objects } = parseManifests([{ name: 'x', text: everyResolution() }], { namespace: 'default' });
  const model = compileMesh({
    objects: objects.map(({ object }) => ({ object, createdRevision: 1 })),
    services: [],
  });
  assert.equal(model.hosts.size, 7);
  let taken = 0;
  for (const host of model.hosts.values()) {
    const { clusters, endpoints } = compileHostResources(host, nobody, undefined, () => false).shared;
    const problems = new ProblemList();
    for (const cluster of clusters.values()) {
      const message = unpackAny(contentOf(cluster), TypeUrl.cluster);
      compileCluster(message.ok ? message.value : assert.fail(message.error), problems);
      taken++;
    }
    for (const assignment of endpoints.values()) {
      const message = unpackAny(contentOf(assignment), TypeUrl.clusterLoadAssignment);
      compileEndpoints(message.ok ? message.value : assert.fail(message.error), '', problems);
    }
    assert.deepEqual(problems.problems, [], host.host);
  }
  assert.equal(taken, 28);
});
