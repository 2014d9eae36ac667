// What an onlooker between two sidecars sees, and what one who is not of the mesh reaches.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findProgram, isListening, skipWithout } from '@heddle/testkit';
import type { RecordedConnection } from './apps/recorder.ts';
import { Mesh } from './support/mesh.ts';
import { issueLeaf, makeForeignRoot, sendByOpenssl } from './support/openssl.ts';
import { startRelay } from './support/relay.ts';
import { send } from './support/requests.ts';
import { stablePort, testApp } from './support/sandbox.ts';
import { readServerHello } from './support/server-hello.ts';

const requestMarker = 'marker-of-the-request-4f9a2c';
const responseMarker = 'marker-of-the-response-77b01d';
const recorder = [process.execPath, testApp('recorder.ts'), responseMarker, requestMarker];

test('between two sidecars there is TLS 1.3 and nothing that could be read', async (t) => {
  await using mesh = await Mesh.start();
  const inboundPort = await stablePort();
  const relay = await startRelay(inboundPort);
  await using _server = relay.server;
  const flags = ['--inbound-port', `${inboundPort}`, '--advertise-address', `127.0.0.1:${relay.server.port}`];
  await mesh.publish('recorder', recorder, { flags });
  // A sidecar that is ready knows what was published before; one that was ready earlier hears of it a moment later.
  const client = await mesh.client(['recorder:9080']);

  const body = `${requestMarker} `.repeat(2_000);
  const headers = { 'x-marker': requestMarker, 'content-length': String(body.length) };
  const answer = await send({ url: client.url('recorder'), method: 'POST', headers, body });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.includes(responseMarker), 'the answer arrives as it was sent');
  const record = await send({ url: `${client.url('recorder')}/record` });
  const received = (JSON.parse(record.body) as RecordedConnection[]).some(({ hasMarker }) => hasMarker);
  assert.ok(received, 'the request arrives as it was sent');

  const connections = relay.connections.filter(({ fromClient }) => fromClient.length > 0);
  assert.ok(connections.length > 0, 'the sidecars reach each other over the relay');
  let passed = 0;
  for (const connection of connections) {
    const fromClient = Buffer.concat(connection.fromClient);
    const fromServer = Buffer.concat(connection.fromServer);
    passed += fromClient.length + fromServer.length;
    const hello = readServerHello(fromServer);
    assert.deepEqual(hello, { legacyVersion: 0x0303, selectedVersion: 0x0304 });
    for (const bytes of [fromClient, fromServer]) {
      for (const secret of [requestMarker, responseMarker, 'spiffe://', 'HTTP/1.1']) {
        assert.equal(bytes.indexOf(secret), -1, `'${secret}' is on the wire`);
      }
    }
  }
  assert.ok(passed > body.length + answer.body.length, 'what was sent has passed over the relay');
  t.diagnostic(`${connections.length} connections, ${passed} bytes, all under TLS 0x0304`);
});

/** Sends a request from outside the mesh; says how the connection ended. */
async function attack(mesh: Mesh, port: number, parameters: readonly string[]): Promise<string> {
  const request = await mesh.write(
    'attack.txt',
    'GET /attack HTTP/1.1\r\nhost: recorder\r\nconnection: close\r\n\r\n',
  );
  const child = await sendByOpenssl(mesh, port, request, parameters);
  assert.doesNotMatch(child.stdout, /^HTTP\/1\.1 200/m, 'an attacker gets no answer from the application');
  assert.doesNotMatch(child.output, /Connection refused|errno=111/, 'something listens there');
  return (
    child.output.match(/alert[^:\n]*(?: number \d+)?|errno=\d+|unexpected eof/i)?.[0] ?? 'closed in order'
  );
}

async function makeAttackers(mesh: Mesh): Promise<ReadonlyMap<string, readonly string[]>> {
  const store = join(mesh.directory, '.heddle/ca');
  const root = { certificate: join(store, 'root.pem'), key: join(store, 'root.key') };
  const spiffeId = 'spiffe://cluster.local/ns/default/sa/client';
  const nowMs = Date.now();
  const valid = { spiffeId, notBeforeMs: nowMs - 240_000, notAfterMs: nowMs + 3_600_000 };
  const issuer = await makeForeignRoot(mesh);
  const [member, foreign, expired, otherDomain] = await Promise.all([
    issueLeaf(mesh, { ...valid, name: 'member', issuer: root }),
    issueLeaf(mesh, { ...valid, name: 'foreign', issuer }),
    issueLeaf(mesh, { ...valid, name: 'expired', issuer: root, notAfterMs: nowMs - 60_000 }),
    issueLeaf(mesh, { ...valid, name: 'other', issuer: root, spiffeId: 'spiffe://other/ns/default/sa/a' }),
  ]);
  const shown = ({ certificate, key }: typeof member): string[] => ['-cert', certificate, '-key', key];
  return new Map<string, readonly string[]>([
    ['member', shown(member)],
    ['no certificate', []],
    ['a foreign certificate', shown(foreign)],
    ['a foreign certificate with its chain', [...shown(foreign), '-cert_chain', issuer.certificate]],
    ['an expired certificate', shown(expired)],
    ['an identity of another trust domain', shown(otherDomain)],
    ['TLS 1.2', [...shown(member), '-tls1_2']],
  ]);
}

async function assertNothingArrives(t: TestContext, mesh: Mesh): Promise<void> {
  const inboundPort = await stablePort();
  await mesh.publish('recorder', recorder, { flags: ['--inbound-port', `${inboundPort}`] });
  const attackers = await makeAttackers(mesh);
  for (const [name, parameters] of attackers) {
    if (name === 'member') continue;
    t.diagnostic(`${name}: ${await attack(mesh, inboundPort, parameters)}`);
  }
  assert.ok(await isListening(inboundPort));
  const plain = await send({ url: `http://127.0.0.1:${inboundPort}/attack` }).catch(() => null);
  assert.equal(plain?.status === 200, false, 'plain HTTP is not answered by the application');

  // The control: whoever is of the mesh does get through, and is the first from whom the application hears anything.
  const text = 'GET /record HTTP/1.1\r\nhost: recorder\r\nconnection: close\r\n\r\n';
  const request = await mesh.write('control.txt', text);
  const control = await sendByOpenssl(mesh, inboundPort, request, attackers.get('member')!);
  assert.match(control.stdout, /^HTTP\/1\.1 200 /, control.output);
  const record = JSON.parse(control.stdout.slice(control.stdout.indexOf('['))) as RecordedConnection[];
  const heard = record.filter(({ bytes }) => bytes > 0);
  assert.equal(heard.length, 1, JSON.stringify(record));
  assert.match(heard[0]!.start, /^GET \/record /);
  t.diagnostic(`the application received ${heard[0]!.bytes} bytes, all of them from the member of the mesh`);
}

test(
  'who has no valid certificate of the mesh sends a request, and the application receives 0 bytes',
  { skip: skipWithout({ openssl: findProgram('openssl') }) },
  async (t) => {
    await using mesh = await Mesh.start();
    await assertNothingArrives(t, mesh);
  },
);
