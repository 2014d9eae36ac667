// Programs that go by HTTP_PROXY to hosts that are in no mesh.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@heddle/proxy';
import { friend, startMesh, stranger } from './support/security-mesh.ts';
import type { SimulatedMesh } from './support/simulated-mesh.ts';
import { ports } from './support/topology.ts';

const outsidePort = 7000;
/** RFC 9113, 3.4, and SETTINGS without any. */
const http2Start = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0';
const getOverHttp2 = (authority: string): string => {
  const text = (value: string): string => String.fromCharCode(value.length) + value;
  // `:method: GET`, `:scheme: http` and `:path: /` of the static table, and an authority.
  const block = `\u0082\u0086\u0084\u0001${text(authority)}`;
  return `\0\0${String.fromCharCode(block.length)}\u0001\u0005\0\0\0\u0001${block}`;
};

/** A host of nobody's; what it was sent. */
async function outside(mesh: SimulatedMesh): Promise<{ authority: string; seen: () => string }> {
  const { process, plan } = mesh.workload(stranger);
  const address = { host: plan.address, port: outsidePort };
  let seen = '';
  await process.node.listen({ address, security: null }, (connection) => ({
    onConnect: () => undefined,
    onData: (buffer, start, end) => {
      seen += buffer.toString('latin1', start, end);
      if (seen.endsWith('ping')) connection.writeLatin1('pong');
    },
    onEnd: () => connection.end(),
    onDrain: () => undefined,
    onClose: () => undefined,
  }));
  return { authority: `${plan.address}:${outsidePort}`, seen: () => seen };
}

/** Connects to where HTTP_PROXY leads; `begin` is sent at once. */
function viaProxy(mesh: SimulatedMesh, begin: string): { connection: Connection; received: () => string } {
  let received = '';
  const connection: Connection = mesh.workload(friend).process.node.connect(
    { address: { host: '127.0.0.1', port: ports.outboundProxy }, security: null, timeoutMs: 1000 },
    {
      onConnect: () => void connection.writeLatin1(begin),
      onData: (buffer, start, end) => {
        received += buffer.toString('latin1', start, end);
      },
      onEnd: () => connection.end(),
      onDrain: () => undefined,
      onClose: () => undefined,
    },
  );
  return { connection, received: () => received };
}

test('a host that nobody knows is reached through CONNECT, byte by byte', async () => {
  const mesh = await startMesh();
  const { authority, seen } = await outside(mesh);
  const { connection, received } = viaProxy(
    mesh,
    `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`,
  );
  await mesh.until('it is granted', () => received().endsWith('\r\n\r\n'), 5000);
  assert.match(received(), /^HTTP\/1.1 200 /);
  connection.writeLatin1('\u0016\u0003 no HTTP, ping');
  await mesh.until('it is answered', () => received().endsWith('pong'), 5000);
  assert.equal(seen(), '\u0016\u0003 no HTTP, ping');
});

test('who speaks HTTP/2 to a host that nobody knows does so to the end', async () => {
  const mesh = await startMesh();
  const { authority, seen } = await outside(mesh);
  viaProxy(mesh, http2Start + getOverHttp2(authority));
  await mesh.until('it has come', () => seen() !== '', 5000);
  assert.ok(seen().startsWith('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), seen());
});

test('where only what is known may be reached nobody gets out by CONNECT', async () => {
  const mesh = await startMesh();
  const { authority, seen } = await outside(mesh);
  const text =
    'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default, namespace: default}\n' +
    'spec: {egress: [{hosts: ["*/*"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n';
  const request = { files: [{ name: 'sidecar.yaml', text }], namespace: 'default' };
  const done = await mesh.controlPlane.core.configuration.apply(request, 'simulation');
  assert.ok(done.ok, JSON.stringify(done));
  await mesh.clock.advanceAsync(100);
  await mesh.until('it is in force', () => mesh.isSynced, 5000);
  const { received } = viaProxy(mesh, `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
  await mesh.until('it is answered', () => received().includes('\r\n\r\n'), 5000);
  assert.match(received(), /^HTTP\/1.1 (403|404|502) /);
  assert.equal(seen(), '');
});
