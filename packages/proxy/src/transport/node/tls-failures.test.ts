// Handshakes that come to nothing: what the other side is told, and that nobody waits for anything then. Alerts are as Envoy's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { afterEach, test } from 'node:test';
import {
  type ConnectionOptions,
  type TLSSocket,
  connect as connectTls,
  createServer as createTlsServer,
} from 'node:tls';
import { makeLeaf } from '@heddle/identity/test-authority';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { StringMatcher } from '../../routing/string-matcher.ts';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { SanMatcher } from '../../tls/san-matcher.ts';
import type { RootsValidation } from '../../tls/tls-config.ts';
import { modernParameters } from '../../tls/tls-parameters.ts';
import { hostAndPort } from '../address.ts';
import {
  CountingObserver,
  type EchoServer,
  TlsBench,
  Workload,
  caller,
  clusterSecurity,
  firstRoot,
  gateway,
  listenerSecurity,
  roots,
  secondRoot,
} from './tls-under-test.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function newBench(): TlsBench {
  const bench = new TlsBench();
  open.push(bench);
  return bench;
}

const hourMs = 3_600_000;
const good = makeLeaf(firstRoot, caller, { dnsNames: ['good.example'] });
const foreign = makeLeaf(secondRoot, caller, { dnsNames: ['good.example'] });
const old = makeLeaf(firstRoot, caller, {
  notBeforeMs: Date.now() - 2 * hourMs,
  notAfterMs: Date.now() - hourMs,
});
const early = makeLeaf(firstRoot, caller, {
  notBeforeMs: Date.now() + hourMs,
  notAfterMs: Date.now() + 2 * hourMs,
});
const serverOnly = makeLeaf(firstRoot, caller, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] });

/** What a client of Node's own is told; it says something at once, and again when the server has had time to refuse it. */
async function told(server: EchoServer, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({
    ...hostAndPort(server.listener.address),
    ca: firstRoot.pem,
    servername: 'one.example',
    checkServerIdentity: () => undefined,
    ...options,
  });
  const outcome = new Promise<string>((resolve) => {
    socket.on('data', () => resolve(`served, ${socket.alpnProtocol || 'no protocol'}`));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.on('close', () => resolve('closed'));
  });
  socket.on('secureConnect', () => socket.write('ping'));
  const text = await outcome;
  socket.destroy();
  return text;
}

const tls13 = { minVersion: 'TLSv1.3' } as const;
const versions: readonly ConnectionOptions[] = [
  { maxVersion: 'TLSv1.2' },
  { ...tls13, ciphers: 'TLS_AES_128_GCM_SHA256' },
  { ...tls13, ciphers: 'TLS_AES_256_GCM_SHA384' },
  { ...tls13, ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
];

async function toldByAllVersions(validation: RootsValidation, own: typeof good): Promise<readonly string[]> {
  const server = await newBench().serve(listenerSecurity({ validation }));
  const outcomes: string[] = [];
  for (const version of versions)
    outcomes.push(await told(server, { ...version, cert: own.pem, key: own.keyPem }));
  return [...new Set(outcomes)];
}

test('a client whose certificate is refused is told why, in every version and suite', async () => {
  const named = roots({ sans: [new SanMatcher('dns', new StringMatcher('exact', 'good.example'))] });
  assert.deepEqual(await toldByAllVersions(named, good), ['served, no protocol']);
  assert.deepEqual(await toldByAllVersions(named, foreign), ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA']);
  assert.deepEqual(await toldByAllVersions(roots(), old), ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED']);
  assert.deepEqual(await toldByAllVersions(roots(), early), ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE']);
  assert.deepEqual(await toldByAllVersions(roots(), serverOnly), [
    'ERR_SSL_SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE',
  ]);
  const unnamed = makeLeaf(firstRoot, caller);
  assert.deepEqual(await toldByAllVersions(named, unnamed), ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN']);
  const hashed = roots({ certificateHashes: ['00'.repeat(32)] });
  assert.deepEqual(await toldByAllVersions(hashed, good), ['ERR_SSL_TLSV1_BAD_CERTIFICATE_HASH_VALUE']);
});

test('a member of the mesh is told why another refuses it', async () => {
  const server = await newBench().serve(new Workload(caller).security((id) => id.endsWith('/welcome')));
  const cert = (own: typeof good): ConnectionOptions => ({ ...tls13, cert: own.pem, key: own.keyPem });
  const welcome = makeLeaf(firstRoot, 'spiffe://cluster.local/ns/default/sa/welcome');
  assert.equal(await told(server, cert(welcome)), 'served, no protocol');
  assert.equal(await told(server, cert(good)), 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN');
  assert.equal(await told(server, cert(foreign)), 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA');
  assert.equal(await told(server, tls13), 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  assert.equal(server.accepted.length, 1);
});

test('a refused client that goes on talking is not reset, which could take the alert along', async () => {
  const server = await newBench().serve(listenerSecurity({ validation: roots() }));
  // Between the two, somebody who sees the server's end of the connection.
  const far = connect({ ...hostAndPort(server.listener.address), allowHalfOpen: true });
  const relay = createServer((near) => {
    near.on('error', () => undefined);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => near.write(bytes));
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  const client = connectTls({
    port,
    host: '127.0.0.1',
    ca: firstRoot.pem,
    cert: foreign.pem,
    key: foreign.keyPem,
    checkServerIdentity: () => undefined,
  });
  open.push({
    close: () => {
      client.destroy();
      return new Promise((resolve) => void relay.close(() => resolve()));
    },
  });
  const failed = once(client, 'error');
  await once(far, 'end');
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA');
  const closed = once(far, 'close');
  for (const bytes of ['late', 'later']) await new Promise((resolve) => void far.write(bytes, resolve));
  far.end();
  await closed;
});

test('a client that names no server where one is required is told so', async () => {
  const base = listenerSecurity();
  const server = await newBench().serve({ ...base, server: { ...base.server, requiresServerName: true } });
  for (const version of versions) {
    assert.equal(await told(server, version), 'served, no protocol');
    assert.match(await told(server, { ...version, servername: '' }), /MISSING_EXTENSION|ALERT_NUMBER_109/);
  }
});

test('a server whose certificate is refused is told why', async () => {
  const { pem, keyPem } = gateway;
  const reasons: string[] = [];
  const server = createTlsServer({ cert: pem, key: keyPem, minVersion: 'TLSv1.3' });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => reasons.push(error.code ?? error.message));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => new Promise((resolve) => void server.close(() => resolve())) });
  const { port } = server.address() as AddressInfo;
  const { transport } = newBench();
  const refuse = async (validation: RootsValidation): Promise<void> => {
    const handler = new RecordingHandler();
    const security = clusterSecurity({ validation, parameters: modernParameters });
    transport.connect({ address: { host: '127.0.0.1', port }, security, timeoutMs: 5000 }, handler);
    await eventually('it is refused', () => handler.closes === 1, 5000, 1);
    assert.equal(handler.connects, 0);
    assert.equal(handler.error?.kind, 'tls-failed');
  };
  await refuse(roots({ roots: secondRoot.pem }));
  await refuse(roots({ sans: [new SanMatcher('dns', new StringMatcher('exact', 'else.example'))] }));
  await refuse(roots({ certificateHashes: ['00'.repeat(32)] }));
  await eventually('the server knows', () => reasons.length === 3, 5000, 1);
  assert.deepEqual(reasons, [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
    'ERR_SSL_TLSV1_BAD_CERTIFICATE_HASH_VALUE',
  ]);
});

test('a client that offers unknown protocols only gets along without one', async () => {
  const observer = new CountingObserver();
  const server = await newBench().serve(listenerSecurity({ alpn: ['h2', 'http/1.1'], observer }));
  for (const version of versions) {
    assert.equal(await told(server, { ...version, ALPNProtocols: ['foo', 'bar'] }), 'served, no protocol');
    assert.equal(await told(server, { ...version, ALPNProtocols: ['foo', 'http/1.1'] }), 'served, http/1.1');
    assert.equal(await told(server, { ...version, ALPNProtocols: ['http/1.1', 'h2'] }), 'served, h2');
    assert.equal(await told(server, version), 'served, no protocol');
  }
  assert.equal(observer.errors, 0);
});

test('protocols are agreed on however the ClientHello comes', async () => {
  const server = await newBench().serve(listenerSecurity({ alpn: ['http/1.1'] }));
  const { port } = hostAndPort(server.listener.address);
  for (const [offered, expected] of [
    ['foo', false],
    ['http/1.1', 'http/1.1'],
  ] as const) {
    const raw = connect(port, '127.0.0.1');
    const tls = throughSmallWrites(raw, { ALPNProtocols: [offered] });
    await once(tls, 'secureConnect');
    assert.equal(tls.alpnProtocol, expected);
    tls.destroy();
  }
});

/** TLS over a socket that writes a few bytes at a time. */
function throughSmallWrites(raw: Socket, options: ConnectionOptions): TLSSocket {
  raw.setNoDelay(true);
  const write = raw._write.bind(raw);
  raw._write = (chunk: Buffer, encoding, callback) => {
    const next = (at: number): void => {
      if (at >= chunk.length) callback();
      else write(chunk.subarray(at, at + 100), encoding, () => setImmediate(next, at + 100));
    };
    next(0);
  };
  raw._writev = undefined as never;
  return connectTls({
    socket: raw,
    ca: firstRoot.pem,
    servername: 'one.example',
    checkServerIdentity: () => undefined,
    ...options,
  });
}

test('a client that ends before its handshake is over is let go at once, and counted nowhere', async () => {
  const hello = await helloOf();
  for (const alpn of [[], ['http/1.1']]) {
    const observer = new CountingObserver();
    const server = await newBench().serve(listenerSecurity({ alpn, observer }));
    for (const bytes of [Buffer.alloc(0), hello.subarray(0, 50), hello]) {
      const raw = connect({ ...hostAndPort(server.listener.address), allowHalfOpen: true });
      raw.end(bytes);
      raw.resume();
      await once(raw, 'end');
    }
    assert.deepEqual([observer.errors, observer.refusals, server.accepted.length], [0, [], 0]);
  }
});

/** The first flight of a client. */
async function helloOf(): Promise<Buffer> {
  const server = await newBench().transport.listen(
    { address: { host: '127.0.0.1', port: 0 }, security: null },
    (connection) => {
      const handler = new RecordingHandler();
      handler.onBytes = (bytes) => {
        hello.resolve(Buffer.from(bytes));
        connection.destroy();
      };
      return handler;
    },
  );
  open.push(server);
  const hello = Promise.withResolvers<Buffer>();
  connectTls({ ...hostAndPort(server.address) }).on('error', () => undefined);
  return hello.promise;
}

test('what is no TLS is counted, and a client that sends it is let go', async () => {
  for (const alpn of [[], ['http/1.1']]) {
    const observer = new CountingObserver();
    const security: LinkSecurity = listenerSecurity({ alpn, observer });
    const server = await newBench().serve(security);
    const raw = connect(hostAndPort(server.listener.address));
    raw.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    raw.resume();
    await once(raw, 'close');
    assert.equal(observer.errors, 1);
  }
});
