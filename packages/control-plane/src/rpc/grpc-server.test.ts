import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { silentLogger, systemClock, type Clock } from '@heddle/base';
import { CertificateAuthority, ControlPlaneIdentity, MemoryIssuanceLog, openRoot } from '@heddle/ca';
import {
  acceptIssuedCertificate,
  createCertificateRequest,
  generateKeyPair,
  parseTrustDomain,
  workloadSpiffeId,
  type WorkloadCertificate,
} from '@heddle/identity';
import { VirtualClock } from '@heddle/testkit';
import type { RpcMethod, RpcMethods, RpcPeer, RpcStatus, RpcStream } from '@heddle/xds';
import { startGrpcServer, type GrpcServerHandle, type GrpcServerOptions } from './grpc-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-grpc-'));
let authority: CertificateAuthority;
let identity: ControlPlaneIdentity;
let workload: WorkloadCertificate;

before(async () => {
  const trustDomain = parseTrustDomain('cluster.local');
  assert.ok(trustDomain.ok);
  const root = await openRoot({ directory, trustDomain: trustDomain.value, clock: systemClock });
  assert.ok(root.ok);
  const log = new MemoryIssuanceLog();
  authority = await CertificateAuthority.open({ root: root.value, clock: systemClock, log });
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const own = await ControlPlaneIdentity.open({ authority, names, clock: systemClock, logger: silentLogger });
  assert.ok(own.ok);
  identity = own.value;
  const id = workloadSpiffeId({ trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'a' });
  assert.ok(id.ok);
  const key = generateKeyPair();
  const issued = await authority.issueWorkload(id.value, createCertificateRequest(key, id.value));
  assert.ok(issued.ok);
  const now = systemClock.now();
  const accepted = acceptIssuedCertificate(
    key,
    id.value,
    issued.value.certificateChain,
    authority.bundle,
    now,
  );
  assert.ok(accepted.ok);
  workload = accepted.value;
});

after(() => {
  identity.close();
  rmSync(directory, { recursive: true });
});

function serve(
  methods: Record<string, RpcMethod>,
  clock: Clock = systemClock,
  more: Pick<GrpcServerOptions, 'maxHandshakes'> = {},
): Promise<GrpcServerHandle> {
  return startGrpcServer({
    address: '127.0.0.1',
    port: 0,
    methods: new Map(Object.entries(methods)) satisfies RpcMethods,
    clock,
    logger: silentLogger,
    identity: () => shown ?? identity.certificate,
    onIdentityChange: (listener) => {
      changed = listener;
      return () => {};
    },
    bundle: () => authority.bundle,
    ...more,
  });
}

/** What the server shows instead of its first certificate, and how it learns of that. */
let shown: { readonly certificateChain: string; readonly privateKey: string } | null = null;
let changed = (): void => {};

async function connect(
  server: GrpcServerHandle,
): Promise<{ session: ClientHttp2Session; socket: TLSSocket }> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(server.address.split(':')[1]),
    ca: authority.bundle.pem,
    cert: workload.certificateChain,
    key: workload.privateKey,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  const session = connectHttp2('https://control-plane', { createConnection: () => socket });
  session.on('error', () => {});
  return { session, socket };
}

/** Resolves when a socket is gone, by whatever error. */
function closeOf(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

/** A TCP connection that never begins its handshake. */
async function silent(server: GrpcServerHandle): Promise<Socket> {
  const socket = connectTcp(Number(server.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

function ping(session: ClientHttp2Session): Promise<unknown> {
  return new Promise((resolve) => session.ping(resolve));
}

function call(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  return stream;
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function finish(stream: ClientHttp2Stream): Promise<{ status: string; body: Buffer }> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  let status = '';
  stream.on('response', (headers) => {
    status = String(headers['grpc-status'] ?? status);
  });
  stream.on('trailers', (headers) => {
    status = String(headers['grpc-status'] ?? status);
  });
  // As gRPC's clients do: what the server has ended is over, whatever the client still had to say.
  await once(stream, 'end');
  stream.close();
  return { status, body: Buffer.concat(chunks) };
}

/** A stream method whose server side the test plays itself. */
function played() {
  const { promise: opened, resolve } = Promise.withResolvers<{ stream: RpcStream; peer: RpcPeer }>();
  const { promise: ended, resolve: end } = Promise.withResolvers<RpcStatus>();
  let writable = Promise.withResolvers<void>();
  const messages: string[] = [];
  const method: RpcMethod = {
    kind: 'stream',
    open: (stream, peer) => {
      resolve({ stream, peer });
      return {
        onMessage: (message) => messages.push(Buffer.from(message).toString()),
        onHalfClose: () => stream.end(),
        onWritable: () => writable.resolve(),
        onEnd: end,
      };
    },
  };
  const nextWritable = async (): Promise<void> => {
    await writable.promise;
    writable = Promise.withResolvers();
  };
  return { method, opened, ended, messages, nextWritable };
}

const unused = { '/test.Service/Stream': played().method };

describe('gRPC over mTLS', () => {
  it('tells a method who calls and passes its messages on as they are', async () => {
    const { method, opened, messages } = played();
    const server = await serve({ '/test.Service/Stream': method });
    const { session } = await connect(server);
    const stream = call(session, '/test.Service/Stream');
    stream.write(frame(Buffer.from('hello')));
    const { stream: served, peer } = await opened;
    assert.equal(peer.identity, 'spiffe://cluster.local/ns/default/sa/a');
    assert.equal(peer.certificateNotAfter, workload.notAfterMs);
    served.send(Buffer.from('answer'));
    stream.end();
    const { status, body } = await finish(stream);
    assert.deepEqual([status, body.subarray(5).toString(), messages], ['0', 'answer', ['hello']]);
    session.close();
    await server.close();
  });

  it('ends a stream with a status after what was sent before it', async () => {
    const { method, opened, ended } = played();
    const server = await serve({ '/test.Service/Stream': method });
    const { session } = await connect(server);
    const stream = call(session, '/test.Service/Stream');
    stream.write(frame(Buffer.alloc(0)));
    const { stream: served } = await opened;
    served.send(Buffer.from('last words'));
    served.end({ code: 9, message: 'not now' });
    const { status, body } = await finish(stream);
    assert.deepEqual([status, body.subarray(5).toString()], ['9', 'last words']);
    assert.equal((await ended).code, 9);
    session.close();
    await server.close();
  });

  it('tells a stream that its client is gone', async () => {
    const { method, opened, ended } = played();
    const server = await serve({ '/test.Service/Stream': method });
    const { session, socket } = await connect(server);
    call(session, '/test.Service/Stream').write(frame(Buffer.alloc(0)));
    await opened;
    socket.destroy();
    assert.equal((await ended).code, 1);
    await server.close();
  });

  it('says when a reader is slower than the writer, and when it has caught up', async () => {
    const { method, opened, nextWritable } = played();
    const server = await serve({ '/test.Service/Stream': method });
    const { session } = await connect(server);
    const stream = call(session, '/test.Service/Stream');
    stream.pause();
    stream.write(frame(Buffer.alloc(0)));
    const { stream: served } = await opened;
    const message = Buffer.alloc(64 * 1024);
    let sent = 1;
    while (served.send(message)) sent++;
    assert.ok(sent <= 6, `${sent} messages of 64 KiB were taken`);
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.resume();
    await nextWritable();
    assert.ok(served.send(Buffer.from('more')));
    served.end();
    await once(stream, 'end');
    stream.close();
    assert.equal(received, sent * (message.length + 5) + 9);
    session.close();
    await server.close();
  });

  it('answers unary calls, failures of the method included', async () => {
    const server = await serve({
      '/test.Service/Echo': {
        kind: 'unary',
        handle: async (request) => {
          if (request.length === 0) throw new TypeError('a bug');
          return { status: { code: 0, message: '' }, message: request };
        },
      },
    });
    const { session } = await connect(server);
    const echo = call(session, '/test.Service/Echo');
    echo.end(frame(Buffer.from('x')));
    assert.equal((await finish(echo)).body.subarray(5).toString(), 'x');
    const broken = call(session, '/test.Service/Echo');
    broken.end(frame(Buffer.alloc(0)));
    assert.equal((await finish(broken)).status, '13');
    const unknown = call(session, '/test.Service/Unknown');
    unknown.end(frame(Buffer.alloc(0)));
    assert.equal((await finish(unknown)).status, '12');
    session.close();
    await server.close();
  });

  it('shows a renewed certificate to new connections and keeps the old ones', async () => {
    const { method, opened } = played();
    const server = await serve({ '/test.Service/Stream': method });
    const { session, socket } = await connect(server);
    const names = { dnsNames: [], addresses: ['127.0.0.1'] };
    const next = await ControlPlaneIdentity.open({
      authority,
      names,
      clock: systemClock,
      logger: silentLogger,
    });
    assert.ok(next.ok);
    shown = next.value.certificate;
    changed();
    const { socket: second } = await connect(server);
    assert.notEqual(second.getPeerCertificate().serialNumber, socket.getPeerCertificate().serialNumber);
    call(session, '/test.Service/Stream').write(frame(Buffer.alloc(0)));
    await opened;
    next.value.close();
    shown = null;
    await server.close();
  });

  it("drops a client whose certificate has expired by the control plane's clock, whatever OpenSSL says", async () => {
    const { method, opened } = played();
    const clock = new VirtualClock({ epochMs: workload.notAfterMs + 1000 });
    const server = await serve({ '/test.Service/Stream': method }, clock);
    const { session, socket } = await connect(server);
    call(session, '/test.Service/Stream').write(frame(Buffer.alloc(0)));
    await once(socket, 'close');
    const served = await Promise.race([opened, Promise.resolve('nothing')]);
    assert.equal(served, 'nothing');
    await server.close();
  });

  it('ends a connection when the certificate that opened it expires', async () => {
    const clock = new VirtualClock({ epochMs: systemClock.now() });
    const server = await serve({ '/test.Service/Stream': played().method }, clock);
    const { socket, session } = await connect(server);
    await new Promise((resolve) => session.ping(() => resolve(null)));
    clock.advance(23 * 3_600_000);
    assert.equal(socket.destroyed, false);
    clock.advance(2 * 3_600_000);
    await once(socket, 'close');
    await server.close();
  });

  it('drops connections that do not finish their handshake, and none that has', async () => {
    const clock = new VirtualClock({ epochMs: systemClock.now() });
    const server = await serve(unused, clock);
    const { session } = await connect(server);
    await ping(session);
    const [mute, slow] = [await silent(server), await silent(server)];
    slow.write(Buffer.from([0x16, 3, 1]));
    // The certificate's, and one for each handshake.
    while (clock.pendingTimers < 3) await new Promise(setImmediate);
    const closed = Promise.all([closeOf(mute), closeOf(slow)]);
    clock.advance(10_000);
    await closed;
    assert.equal(await ping(session), null);
    session.close();
    await server.close();
  });

  it('serves new clients and those it has while others are silent, the oldest of which give way', async () => {
    const server = await serve(unused, systemClock, { maxHandshakes: 4 });
    const { session } = await connect(server);
    const closed: Promise<unknown>[] = [];
    for (let count = 0; count < 8; count++) closed.push(closeOf(await silent(server)));
    const { session: second } = await connect(server);
    await Promise.all(closed.slice(0, 4));
    assert.deepEqual([await ping(session), await ping(second)], [null, null]);
    session.close();
    second.close();
    await server.close();
  });

  it('closes under a connection in its handshake', async () => {
    const server = await serve(unused, new VirtualClock({ epochMs: systemClock.now() }));
    const mute = await silent(server);
    const closed = closeOf(mute);
    await connect(server);
    await server.close();
    await closed;
  });
});
