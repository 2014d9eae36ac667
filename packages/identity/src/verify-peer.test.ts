import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { type ConnectionOptions, TLSSocket, connect, createSecureContext } from 'node:tls';
import { type Clock, type Result, systemClock } from '@heddle/base';
import type { Certificate } from './certificate.ts';
import { type TestCertificate, bundleOf, makeLeaf, makeRoot } from './test-authority.ts';
import { trustBundles } from './trust-bundle.ts';
import { type PeerRefusal, type VerifiedPeer, verifyChain } from './verify-chain.ts';
import { verifyPeer } from './verify-peer.ts';

type Verdict = Result<VerifiedPeer, PeerRefusal>;

const hourMs = 3_600_000;
const root = makeRoot('cluster.local');
const federated = makeRoot('other.example');
const foreign = makeRoot('cluster.local');
const reviews = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/reviews');
const ratings = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/ratings');
const bundles = trustBundles(bundleOf('cluster.local', root), bundleOf('other.example', federated));
/** As a mesh with federation has it: OpenSSL is given the roots of both domains. */
const allRoots = root.pem + federated.pem;

function clockAt(offsetMs: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + offsetMs };
}

/** A server as the data plane may build it, on `TLSSocket` itself; tells the verdict on each client. */
class RawServer {
  readonly server: Server;
  readonly verdicts: Verdict[] = [];
  readonly received: string[] = [];
  clock: Clock = systemClock;

  constructor(own: TestCertificate) {
    const secureContext = createSecureContext({
      ca: allRoots,
      cert: own.pem,
      key: own.keyPem,
      minVersion: 'TLSv1.3',
      sessionIdContext: 'test',
    });
    this.server = createServer((raw) => {
      const socket = new TLSSocket(raw, {
        isServer: true,
        requestCert: true,
        rejectUnauthorized: true,
        secureContext,
      });
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => this.received.push(chunk.toString()));
      socket.once('secure', () => {
        this.verdicts.push(verifyPeer(socket, bundles, 'client', this.clock));
        socket.end('bye');
      });
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }
}

interface ClientOutcome {
  readonly verdict: Verdict | null;
  readonly isReused: boolean;
  readonly session: Buffer | null;
  readonly errorCode: string;
}

interface ClientOptions {
  readonly own?: TestCertificate | null;
  readonly clock?: Clock;
  readonly session?: Buffer | undefined;
  readonly remembered?: readonly Certificate[];
}

async function connectTo(port: number, options: ClientOptions = {}): Promise<ClientOutcome> {
  const own = options.own === undefined ? ratings : options.own;
  const tlsOptions: ConnectionOptions = {
    port,
    host: '127.0.0.1',
    ca: allRoots,
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
    ...(own === null ? {} : { cert: own.pem, key: own.keyPem }),
    ...(options.session === undefined ? {} : { session: options.session }),
  };
  const socket = connect(tlsOptions);
  let session: Buffer | null = null;
  let verdict: Verdict | null = null;
  let errorCode = '';
  let isReused = false;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  socket.on('secureConnect', () => {
    isReused = socket.isSessionReused();
    verdict = verifyPeer(socket, bundles, 'server', options.clock ?? systemClock, options.remembered);
    socket.write('a marker');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    errorCode = error.code ?? error.message;
  });
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return { verdict, isReused, session, errorCode };
}

function faultOf(verdict: Verdict | null | undefined): string {
  if (verdict === null || verdict === undefined) return 'no verdict';
  return verdict.ok ? verdict.value.id : verdict.error.fault;
}

describe('verifyPeer over TLS', () => {
  const open: Server[] = [];

  async function serve(own: TestCertificate): Promise<{ server: RawServer; port: number }> {
    const server = new RawServer(own);
    open.push(server.server);
    return { server, port: await server.listen() };
  }

  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });

  test('tells both sides who the other is', async () => {
    const { server, port } = await serve(reviews);
    const client = await connectTo(port);
    assert.equal(faultOf(client.verdict), 'spiffe://cluster.local/ns/default/sa/reviews');
    assert.equal(faultOf(server.verdicts[0]), 'spiffe://cluster.local/ns/default/sa/ratings');
  });

  const clients: readonly (readonly [string, TestCertificate | null, string])[] = [
    ['without a certificate', null, 'no verdict'],
    ['of a foreign authority', makeLeaf(foreign, 'spiffe://cluster.local/ns/a/sa/b'), 'untrusted-chain'],
    [
      'of an expired certificate',
      makeLeaf(root, 'spiffe://cluster.local/ns/a/sa/b', { notAfterMs: Date.now() - 2000 }),
      'expired',
    ],
    [
      'of a trust domain signed by another one',
      makeLeaf(federated, 'spiffe://cluster.local/ns/a/sa/b'),
      'untrusted-chain',
    ],
    [
      'of an unknown trust domain',
      makeLeaf(root, 'spiffe://third.example/ns/a/sa/b'),
      'unknown-trust-domain',
    ],
    [
      'with two identities',
      makeLeaf(root, '', { uris: ['spiffe://cluster.local/ns/a/sa/b', 'spiffe://cluster.local/ns/a/sa/c'] }),
      'no-identity',
    ],
  ];
  for (const [name, own, fault] of clients) {
    test(`refuses a client ${name} before its data counts`, async () => {
      const { server, port } = await serve(reviews);
      await connectTo(port, { own });
      assert.equal(faultOf(server.verdicts[0]), fault);
    });
  }

  test('refuses a server signed by the root of another trusted domain, which OpenSSL accepts', async () => {
    const { port } = await serve(makeLeaf(federated, 'spiffe://cluster.local/ns/default/sa/reviews'));
    const client = await connectTo(port);
    assert.equal(client.errorCode, '');
    assert.equal(faultOf(client.verdict), 'untrusted-chain');
  });

  test('refuses a server whose handshake OpenSSL has refused, whatever our own check says', async () => {
    const { port } = await serve(makeLeaf(foreign, 'spiffe://cluster.local/ns/default/sa/reviews'));
    const client = await connectTo(port);
    assert.equal(client.verdict, null);
    assert.notEqual(client.errorCode, '');
  });

  describe('with a resumed session', () => {
    async function firstVisit(port: number): Promise<{ session: Buffer; chain: readonly Certificate[] }> {
      const { session, verdict } = await connectTo(port);
      assert.ok(session !== null && verdict !== null && verdict.ok);
      return { session, chain: verdict.value.chain };
    }

    test('checks both sides again, the server by the chain that the client remembers', async () => {
      const { server, port } = await serve(reviews);
      const { session, chain } = await firstVisit(port);
      const client = await connectTo(port, { session, remembered: chain });
      assert.ok(client.isReused);
      assert.equal(faultOf(client.verdict), 'spiffe://cluster.local/ns/default/sa/reviews');
      assert.equal(faultOf(server.verdicts[1]), 'spiffe://cluster.local/ns/default/sa/ratings');
    });

    test('refuses a server that nobody remembers', async () => {
      const { port } = await serve(reviews);
      const { session } = await firstVisit(port);
      const client = await connectTo(port, { session });
      assert.ok(client.isReused);
      assert.equal(faultOf(client.verdict), 'no-certificate');
    });

    test('notices on both sides that a certificate has expired since', async () => {
      const { server, port } = await serve(reviews);
      const { session, chain } = await firstVisit(port);
      const clock = clockAt(2 * hourMs);
      server.clock = clock;
      const client = await connectTo(port, { session, remembered: chain, clock });
      assert.ok(client.isReused);
      assert.equal(faultOf(client.verdict), 'expired');
      assert.equal(faultOf(server.verdicts[1]), 'expired');
    });

    test('does not take a remembered chain for what a peer shows in a full handshake', async () => {
      const { port } = await serve(makeLeaf(federated, 'spiffe://other.example/ns/a/sa/b'));
      const client = await connectTo(port, { remembered: [reviews.certificate] });
      assert.ok(!client.isReused);
      assert.equal(faultOf(client.verdict), 'spiffe://other.example/ns/a/sa/b');
    });
  });

  test('refuses what OpenSSL has refused even where our own check is content', () => {
    const { x509 } = reviews.certificate;
    const socket = (verifyError: (() => Error | null) | undefined) => ({
      getPeerX509Certificate: () => x509,
      isSessionReused: () => false,
      _handle: { verifyError },
    });
    assert.ok(verifyChain([reviews.certificate], bundles, 'client', Date.now()).ok);
    assert.ok(
      verifyPeer(
        socket(() => null),
        bundles,
        'client',
        systemClock,
      ).ok,
    );
    const refused = verifyPeer(
      socket(() => new Error('certificate revoked')),
      bundles,
      'client',
      systemClock,
    );
    assert.equal(faultOf(refused), 'handshake-failed');
    assert.equal(faultOf(verifyPeer(socket(undefined), bundles, 'client', systemClock)), 'handshake-failed');
  });
});
