// TLS as the configuration of a gateway has it: certificates and roots of its own instead of the mesh's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { afterEach, test } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { type TestCertificate, makeLeaf } from '@heddle/identity/test-authority';
import { silentLogger, systemClock } from '@heddle/base';
import { eventually } from '@heddle/testkit';
import { StringMatcher } from '../../routing/string-matcher.ts';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { SanMatcher } from '../../tls/san-matcher.ts';
import type { RootsValidation } from '../../tls/tls-config.ts';
import { openParameters } from '../../tls/tls-parameters.ts';
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
  staticCertificate,
} from './tls-under-test.ts';

const other = makeLeaf(firstRoot, 'spiffe://cluster.local/ns/default/sa/gateway', {
  dnsNames: ['other.example'],
});

const open: TlsBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
});

function newBench(): TlsBench {
  const bench = new TlsBench();
  open.push(bench);
  return bench;
}

/** A client of Node's own: what it is told, and the certificate that it is shown. */
async function visitWith(server: EchoServer, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({
    ...hostAndPort(server.listener.address),
    ca: firstRoot.pem,
    checkServerIdentity: () => undefined,
    ...options,
  });
  socket.on('secureConnect', () => socket.write('ping'));
  const outcome = new Promise<string>((resolve) => {
    socket.on('data', () => resolve(shown(socket)));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
  });
  const text = await outcome;
  socket.destroy();
  return text;
}

function shown(socket: TLSSocket): string {
  return `${socket.getProtocol()} ${socket.getPeerX509Certificate()?.subjectAltName ?? ''}`;
}

test('serves clients without certificates', async () => {
  const bench = newBench();
  const observer = new CountingObserver();
  const server = await bench.serve(listenerSecurity({ observer }));
  const visit = await bench.visit(server, clusterSecurity());
  assert.equal(visit.isAnswered, true);
  assert.equal(visit.session?.serverName, 'one.example');
  const [accepted] = server.accepted;
  assert.equal(accepted!.peerIdentity, '');
  assert.equal(accepted!.tls?.peer, null);
  assert.equal(accepted!.tls.serverName, 'one.example');
  assert.equal(observer.sessions.length, 1);
  assert.equal((await bench.visit(server, clusterSecurity())).isAnswered, true);
});

test('an upstream certificate has to lead to the roots and have the name', async () => {
  const bench = newBench();
  const server = await bench.serve(listenerSecurity());
  const named = (name: string): RootsValidation =>
    roots({ sans: [new SanMatcher('dns', new StringMatcher('exact', name))] });
  const answered = async (validation: RootsValidation): Promise<boolean> => {
    const visit = await bench.visit(server, clusterSecurity({ validation }));
    if (!visit.isAnswered) assert.equal(visit.handler.error?.kind, 'tls-failed');
    return visit.isAnswered;
  };
  assert.equal(await answered(named('one.example')), true);
  assert.equal(await answered(named('www.two.example')), true);
  assert.equal(await answered(named('three.example')), false);
  assert.equal(await answered(roots({ roots: secondRoot.pem })), false);
  const der = gateway.certificate.x509.raw;
  const hash = createHash('sha256').update(der).digest('hex');
  assert.equal(await answered(roots({ certificateHashes: [hash] })), true);
  assert.equal(await answered(roots({ certificateHashes: ['00'.repeat(32)] })), false);
  const key = gateway.key.publicKey.export({ type: 'spki', format: 'der' });
  const keyHash = createHash('sha256').update(key).digest('base64');
  assert.equal(await answered(roots({ publicKeyHashes: [keyHash] })), true);
});

test('names are asked for after resumed handshakes too', async () => {
  const bench = newBench();
  const server = await bench.serve(listenerSecurity());
  let wanted = 'one.example';
  const matcher = { type: 'dns', matches: () => wanted === 'one.example' } as unknown as SanMatcher;
  const client = clusterSecurity({ validation: roots({ sans: [matcher] }) });
  await bench.visit(server, client);
  assert.equal((await bench.visit(server, client)).session?.isResumed, true);
  wanted = 'else.example';
  assert.equal((await bench.visit(server, client)).handler.connects, 0);
});

test('a client certificate is verified where it is asked for, and has to be there where it is required', async () => {
  const bench = newBench();
  const observer = new CountingObserver();
  const base = listenerSecurity({ validation: roots(), observer });
  const optional = await bench.serve(base);
  const required = await bench.serve({
    ...base,
    server: { ...base.server, requiresClientCertificate: true },
  });
  const client = (own: TestCertificate | null): LinkSecurity =>
    clusterSecurity({
      certificates: own === null ? [] : [{ kind: 'static', certificate: staticCertificate(own) }],
    });
  const good = makeLeaf(firstRoot, caller);
  const bad = makeLeaf(secondRoot, caller);
  const outcomes: boolean[] = [];
  for (const server of [optional, required]) {
    for (const own of [null, good, bad]) outcomes.push((await bench.visit(server, client(own))).isAnswered);
  }
  assert.deepEqual(outcomes, [true, true, false, false, true, false]);
  assert.equal(optional.accepted[1]!.peerIdentity, caller);
  assert.deepEqual(observer.refusals, ['error', 'no-certificate', 'error']);
  assert.equal(observer.errors, 0);
  const missing = await visitWith(required, {});
  assert.equal(missing, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
});

test('the log says who refused which peer, and by what names it came', async (t) => {
  const lines: [string, unknown][] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string, fields?: unknown) => lines.push([message, fields]),
  };
  const bench = new TlsBench(systemClock, {}, logger);
  t.after(() => bench.close());
  const observer = new CountingObserver();
  const matcher = { type: 'uri', matches: () => false } as unknown as SanMatcher;
  const server = await bench.serve(listenerSecurity({ validation: roots({ sans: [matcher] }), observer }));
  const own = makeLeaf(firstRoot, caller, { dnsNames: ['caller.example'] });
  const certificates = [{ kind: 'static' as const, certificate: staticCertificate(own) }];
  const { connection } = await bench.visit(server, clusterSecurity({ certificates }));
  const { port } = hostAndPort(server.listener.address);
  assert.deepEqual(lines, [
    [
      'peer refused',
      {
        owner: 'listener test',
        local: `127.0.0.1:${port}`,
        peer: `127.0.0.1:${connection.localPort}`,
        serverName: 'one.example',
        presented: `${caller} caller.example`,
        fault: 'unexpected-name',
        detail: 'no name of the certificate is one that was asked for',
      },
    ],
  ]);
});

test('shows the certificate whose name the client asks for, else the first', async () => {
  const bench = newBench();
  const certificates = [gateway, other].map((one) => ({
    kind: 'static' as const,
    certificate: staticCertificate(one),
  }));
  const server = await bench.serve(listenerSecurity({ certificates }));
  const names = async (servername: string | undefined): Promise<string> =>
    visitWith(server, servername === undefined ? {} : { servername });
  assert.match(await names('one.example'), /DNS:one\.example/);
  assert.match(await names('OTHER.example'), /DNS:other\.example/);
  assert.match(await names('a.two.example'), /DNS:one\.example/);
  assert.match(await names('unknown.example'), /DNS:one\.example/);
  assert.match(await names(undefined), /DNS:one\.example/);
});

test('refuses clients that name no server where a name is required', async () => {
  const bench = newBench();
  const base = listenerSecurity();
  const server = await bench.serve({ ...base, server: { ...base.server, requiresServerName: true } });
  assert.equal((await bench.visit(server, clusterSecurity())).isAnswered, true);
  assert.equal((await bench.visit(server, clusterSecurity({ serverName: '' }))).isAnswered, false);
});

test('holds to versions and suites', async () => {
  const bench = newBench();
  const modern = await bench.serve(
    listenerSecurity({ parameters: { ...openParameters, minVersion: 'TLSv1.3' } }),
  );
  assert.equal(await visitWith(modern, { maxVersion: 'TLSv1.2' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  const old = await bench.serve(
    listenerSecurity({
      parameters: {
        ...openParameters,
        maxVersion: 'TLSv1.2',
        cipherSuites: ['ECDHE-ECDSA-AES256-GCM-SHA384'],
      },
    }),
  );
  assert.match(await visitWith(old, {}), /^TLSv1\.2 /);
  assert.equal(old.accepted[0]!.tls?.version, 'TLSv1.2');
  assert.equal(old.accepted[0]!.tls.cipher, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  assert.match(await visitWith(old, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), /^ERR_SSL_/);
});

test('live connections outlive a change of certificate, new ones have the new one', async () => {
  const bench = newBench();
  const own = new Workload('spiffe://cluster.local/ns/default/sa/server');
  const server = await bench.serve(own.security());
  const client = new Workload(caller).security();
  const before = await bench.visit(server, client);
  const shownBefore = before.session?.peer?.fingerprint;
  own.own = makeLeaf(firstRoot, own.id);
  const unresumed = { ...client, maxSessions: 0 };
  const after = await bench.visit(server, unresumed);
  assert.notEqual(after.session?.peer?.fingerprint, shownBefore);
  before.connection.writeLatin1('pong');
  await eventually('the live connection answers', () => before.handler.bytes === 8, 5000, 1);
});

test('TLS that breaks in the middle of a connection ends it and is counted', async () => {
  const bench = newBench();
  const observer = new CountingObserver();
  const server = await bench.serve(listenerSecurity({ observer }));
  const raw: Socket = connect(hostAndPort(server.listener.address));
  await once(raw, 'connect');
  const socket = connectTls({ socket: raw, ca: firstRoot.pem, checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  await eventually('the server has accepted', () => server.accepted.length === 1, 5000, 1);
  const handle = (raw as unknown as { _handle: { writeLatin1String(req: null, text: string): void } })
    ._handle;
  handle.writeLatin1String(null, '\x17\x03\x03\x00\x14aaaaaaaaaaaaaaaaaaaa');
  await new Promise((resolve) => socket.once('close', resolve));
  assert.equal(observer.errors, 1);
  await eventually('the owner knows', () => server.handlers[0]!.closes === 1, 5000, 1);
  assert.equal(server.handlers[0]!.error?.kind, 'tls-failed');
});

test('a client whose server breaks TLS in the middle learns of it', async () => {
  const bench = newBench();
  const server = await bench.serve(listenerSecurity());
  // Between the two, somebody who sends a record that nobody has encrypted.
  let inject = (): void => undefined;
  const relay = createServer((near) => {
    const far = connect(hostAndPort(server.listener.address));
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    inject = () => near.write('\x17\x03\x03\x00\x14aaaaaaaaaaaaaaaaaaaa', 'latin1');
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  const listener = { address: { host: '127.0.0.1', port }, close: () => Promise.resolve() };
  const visit = await bench.visit({ ...server, listener }, clusterSecurity());
  assert.equal(visit.isAnswered, true);
  inject();
  await eventually('the client is told', () => visit.handler.closes === 1, 5000, 1);
  assert.equal(visit.handler.error?.kind, 'tls-failed');
  relay.close();
});
