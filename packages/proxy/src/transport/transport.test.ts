import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type HeddleError, type Result, systemClock } from '@heddle/base';
import { CertificateAuthority, MemoryIssuanceLog, openRoot } from '@heddle/ca';
import {
  createCertificateRequest,
  exportPrivateKey,
  generateKeyPair,
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeId,
} from '@heddle/identity';
import {
  eventually,
  freePort,
  RecordingHandler,
  temporaryDirectory,
  type TransportHarness,
  transportContract,
} from '@heddle/testkit';
import type { LinkSecurity, PeerMatcher, SecretProvider } from '../tls/link-security.ts';
import { meshSecurity } from '../tls/mesh-security.ts';
import { hostAndPort } from './address.ts';
import { type EngineUnderTest, engines } from './engines-under-test.ts';

function unwrap<T>(result: Result<T, HeddleError | readonly unknown[]>): T {
  if (!result.ok) throw new Error('the result is an error', { cause: result.error });
  return result.value;
}

const clientIdentity = unwrap(parseSpiffeId('spiffe://cluster.local/ns/default/sa/client'));
const serverIdentity = unwrap(parseSpiffeId('spiffe://cluster.local/ns/default/sa/server'));

/** A certificate for each of the two, from one authority. */
async function issueSecrets(): Promise<ReadonlyMap<SpiffeId, SecretProvider>> {
  await using directory = await temporaryDirectory();
  const trustDomain = unwrap(parseTrustDomain('cluster.local'));
  const clock = systemClock;
  const root = unwrap(await openRoot({ directory: join(directory.path, 'ca'), trustDomain, clock }));
  const authority = await CertificateAuthority.open({ root, clock, log: new MemoryIssuanceLog() });
  const secrets = new Map<SpiffeId, SecretProvider>();
  for (const id of [clientIdentity, serverIdentity]) {
    const key = generateKeyPair();
    const { certificateChain } = unwrap(await authority.issueWorkload(id, createCertificateRequest(key, id)));
    const certificate = { certificateChain, privateKey: exportPrivateKey(key), version: id };
    secrets.set(id, { certificate: () => certificate, trustBundle: () => root.bundle });
  }
  return secrets;
}

const secrets = await issueSecrets();

function securityOf(id: SpiffeId, acceptPeer: PeerMatcher | null): LinkSecurity {
  return meshSecurity({
    secrets: secrets.get(id)!,
    acceptPeer,
    alpn: ['istio-http/1.1', 'http/1.1'],
  });
}

const sockets = await temporaryDirectory();
let nextSocket = 0;
after(() => sockets[Symbol.asyncDispose]());

/** Room for what the kernel has on its way between two sockets of this machine. */
const settleMs = 30;

async function openHarness(engine: EngineUnderTest): Promise<TransportHarness> {
  const transport = engine.open();
  return {
    client: transport,
    server: transport,
    listenAddress: { host: '127.0.0.1', port: 0 },
    refusingAddress: { host: '127.0.0.1', port: await freePort() },
    silentAddress: null,
    unixAddresses: [
      { path: join(sockets.path, `${nextSocket++}.sock`) },
      { path: `\0heddle-test-${process.pid}-${nextSocket++}` },
    ],
    security: {
      clientIdentity,
      serverIdentity,
      client: (acceptPeer) => securityOf(clientIdentity, acceptPeer),
      server: (acceptPeer) => securityOf(serverIdentity, acceptPeer),
    },
    until: (condition) => eventually('the condition holds', condition, 5000, 1),
    settle: () =>
      new Promise((resolve) => {
        setTimeout(resolve, settleMs);
      }),
    close: () => Promise.resolve(),
  };
}

for (const engine of engines) {
  const { name, skip } = engine;
  if (skip === false) transportContract(name, () => openHarness(engine));
  test(
    `drops accepted connections that do not finish their handshake, and none that has: ${name}`,
    { skip },
    () => dropsSlowHandshakes(engine),
  );
  test(`secures a connection of which any part of the ClientHello has been read: ${name}`, { skip }, () =>
    securesAfterAnyByte(engine),
  );
}

async function dropsSlowHandshakes(engine: EngineUnderTest): Promise<void> {
  const transport = engine.open({ handshakeTimeoutMs: 200 });
  const accepted: RecordingHandler[] = [];
  const listener = await transport.listen(
    { address: { host: '127.0.0.1', port: 0 }, security: securityOf(serverIdentity, null) },
    () => {
      const handler = new RecordingHandler();
      accepted.push(handler);
      return handler;
    },
  );
  const client = new RecordingHandler();
  const connection = transport.connect(
    { address: listener.address, security: securityOf(clientIdentity, null), timeoutMs: 5000 },
    client,
  );
  await eventually('the server has accepted', () => accepted.length === 1, 5000, 1);
  const starts = [[], [0x16, 3, 1]];
  const sockets = starts.map((start) => {
    const socket = connect(hostAndPort(listener.address).port, '127.0.0.1').on('error', () => undefined);
    socket.write(Buffer.from(start));
    return socket.resume();
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  connection.writeLatin1('still here');
  await eventually('the bytes have arrived', () => accepted[0]!.bytes === 10, 5000, 1);
  assert.equal(accepted.length, 1);
  connection.destroy();
  await listener.close();
}

async function securesAfterAnyByte(engine: EngineUnderTest): Promise<void> {
  const transport = engine.open();
  const server = securityOf(serverIdentity, null);
  let cut = 1;
  let secured = 0;
  let helloBytes = Number.MAX_SAFE_INTEGER;
  const listener = await transport.listen(
    { address: { host: '127.0.0.1', port: 0 }, security: null },
    (connection) => {
      const handler = new RecordingHandler();
      handler.onBytes = () => {
        if (handler.bytes < cut) return;
        const accept = (): RecordingHandler => {
          secured++;
          return new RecordingHandler();
        };
        transport.secure(connection, handler.received, server, accept, () => undefined);
      };
      return handler;
    },
  );
  // Between the two, a relay that delivers the ClientHello in two pieces.
  const relay = createServer((near) => {
    const far = connect({ ...hostAndPort(listener.address), noDelay: true });
    near.once('data', (hello: Buffer) => {
      helloBytes = hello.length;
      far.write(hello.subarray(0, cut));
      setImmediate(() => {
        far.write(hello.subarray(cut));
        near.pipe(far);
      });
    });
    far.pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  for (; cut <= helloBytes; cut++) {
    const handler = new RecordingHandler();
    const client = transport.connect(
      { address: { host: '127.0.0.1', port }, security: securityOf(clientIdentity, null), timeoutMs: 2000 },
      handler,
    );
    await eventually(`both ends are secured, cut at ${cut}`, () => secured === cut, 2000, 1);
    await eventually('the client is connected', () => handler.connects === 1, 2000, 1);
    client.destroy();
  }
  assert.ok(helloBytes > 200);
  relay.close();
  await listener.close();
}
