// Real TLS, on sockets: passed through by server name, ended by the chain that the name chooses, and begun to an upstream.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type AddressInfo,
  type Socket,
  connect as connectPlain,
  createServer as createPlain,
} from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, createServer, createSecureContext, TLSSocket } from 'node:tls';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { readProxyHeader } from '../inspect/proxy-protocol.ts';
import { httpChain, routedHttpChain, socketAddress, staticCluster, tcpChain, typed } from './test-proxy.ts';
import { socketWorld } from './test-worlds.ts';

const root = makeRoot('cluster.local');

function leaf(name: string) {
  return makeLeaf(root, `spiffe://cluster.local/ns/default/sa/${name}`);
}

/** A chain's transport socket that shows the certificate of `name`. */
function ownCertificate(name: string, validation: object = {}): object {
  const { pem, keyPem } = leaf(name);
  const certificate = { certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: { tls_certificates: [certificate], ...validation },
    }),
  };
}

function named(serverName: string, chain: object = {}): object {
  return { filter_chain_match: { server_names: [serverName] }, ...chain };
}

/** Does TLS with the proxy, asks, and tells whose certificate it was shown and what was answered. */
async function ask(t: TestContext, port: number, servername: string): Promise<string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername,
    ca: root.pem,
    checkServerIdentity: () => undefined,
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const san = socket.getPeerCertificate().subjectaltname ?? '';
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return `${san.slice(san.lastIndexOf('/') + 1)}: ${text.slice(text.lastIndexOf('\n') + 1)}`;
}

test('server names lead to a backend that ends TLS itself, and to chains that do with their own certificates', async (t) => {
  const { keyPem, pem } = leaf('backend');
  const backend = createServer({ key: keyPem, cert: pem }, (socket) =>
    socket.once('data', () => socket.end('\npassed through')),
  );
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.after(() => backend.close());
  const world = socketWorld(t);
  await world.proxy.load({
    listeners: [
      {
        name: 'l',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [
          tcpChain({ cluster: 'be' }, named('pass.example.com')),
          httpChain('ended at a', named('a.example.com', { transport_socket: ownCertificate('a') })),
        ],
        default_filter_chain: httpChain('ended at b', { transport_socket: ownCertificate('b') }),
      },
    ],
    clusters: [staticCluster('be', '127.0.0.1', [(backend.address() as AddressInfo).port])],
  });
  const port = world.proxy.port('l');
  assert.equal(await ask(t, port, 'pass.example.com'), 'backend: passed through');
  assert.equal(await ask(t, port, 'a.example.com'), 'a: ended at a');
  assert.equal(await ask(t, port, 'other.example.com'), 'b: ended at b');
});

test('a ClientHello that comes byte by byte is passed on whole', async (t) => {
  const world = socketWorld(t);
  await world.proxy.load({
    listeners: [
      {
        name: 'l',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [httpChain('ended at a', named('a', { transport_socket: ownCertificate('a') }))],
      },
    ],
  });
  // Between the client and the proxy stands somebody who hands on one byte at a time.
  const relay = createPlain((client) => {
    const upstream = connectPlain({ port: world.proxy.port('l'), host: '127.0.0.1', noDelay: true });
    upstream.pipe(client);
    client.on('data', (chunk: Buffer) => {
      for (const byte of chunk) upstream.write(Buffer.from([byte]));
    });
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.on('close', () => upstream.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => relay.close());
  assert.equal(await ask(t, (relay.address() as AddressInfo).port, 'a'), 'a: ended at a');
});

test('a changed certificate is shown to new connections without a gap, and old ones go on', async (t) => {
  const world = socketWorld(t);
  const listener = (name: string): object => ({
    name: 'l',
    address: socketAddress('127.0.0.1', 0),
    filter_chains: [httpChain(`by ${name}`, { transport_socket: ownCertificate(name) })],
  });
  await world.proxy.load({ listeners: [listener('one')] });
  const port = world.proxy.port('l');
  assert.equal(await ask(t, port, ''), 'one: by one');
  await world.proxy.load({ listeners: [listener('two')] });
  assert.equal(world.proxy.port('l'), port);
  assert.equal(await ask(t, port, ''), 'two: by two');
});

test('an upstream learns whose certificate vouched for the client, and who says so', async (t) => {
  const world = socketWorld(t);
  const backend = await world.backend();
  const transport_socket = ownCertificate('server', {
    validation_context: { trusted_ca: { inline_string: root.pem } },
  });
  await world.proxy.load({
    listeners: [
      {
        name: 'l',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [
          routedHttpChain(
            'be',
            { transport_socket },
            {
              forward_client_cert_details: 'APPEND_FORWARD',
              set_current_client_cert_details: { uri: true },
            },
          ),
        ],
      },
    ],
    clusters: [staticCluster('be', '127.0.0.1', [backend.port])],
  });
  const { pem, keyPem } = leaf('client');
  const options = { port: world.proxy.port('l'), host: '127.0.0.1', ca: root.pem, cert: pem, key: keyPem };
  const client = connect({ ...options, checkServerIdentity: () => undefined });
  t.after(() => client.destroy());
  await once(client, 'secureConnect');
  client.write('GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-client-cert: By=before\r\n\r\n');
  const received = (): string => backend.accepted[0]?.handler.received.toString() ?? '';
  await world.until('it is asked', () => received().endsWith('\r\n\r\n'));
  assert.match(
    received(),
    /client-cert: By=before,By=spiffe:\/\/\S+\/sa\/server;Hash=[0-9a-f]{64};URI=spiffe:\/\/\S+\/sa\/client\r\n/,
  );
});

test('towards the upstream the PROXY header comes in the clear, before the ClientHello', async (t) => {
  const key = leaf('backend');
  const headers: Buffer[] = [];
  // Takes the header off by hand and does TLS with the rest.
  const backend = createPlain((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      const header = readProxyHeader(chunk, chunk.length);
      assert.ok(header.kind === 'header');
      headers.push(chunk.subarray(0, header.length));
      socket.pause();
      socket.unshift(chunk.subarray(header.length));
      const context = createSecureContext({ key: key.keyPem, cert: key.pem });
      const secured = new TLSSocket(socket, { isServer: true, secureContext: context });
      secured.on('error', () => secured.destroy());
      secured.on('data', (bytes: Buffer) => secured.end(`got ${bytes.toString()}`));
    });
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.after(() => backend.close());
  const world = socketWorld(t);
  const inner = {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('transport_sockets.tls.v3.UpstreamTlsContext', {
      common_tls_context: { validation_context: { trusted_ca: { inline_string: root.pem } } },
    }),
  };
  const transportSocket = {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typed_config: typed('transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
      config: { version: 'V2' },
      transport_socket: inner,
    }),
  };
  await world.proxy.load({
    listeners: [
      {
        name: 'l',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [tcpChain({ cluster: 'be' })],
      },
    ],
    clusters: [
      staticCluster('be', '127.0.0.1', [(backend.address() as AddressInfo).port], {
        transport_socket: transportSocket,
      }),
    ],
  });
  const client = world.connect(world.proxy.port('l'));
  client.connection.writeLatin1('secret');
  await world.until('it is answered', () => client.handler.received.toString() === 'got secret');
  const header = readProxyHeader(headers[0]!, headers[0]!.length);
  assert.ok(header.kind === 'header');
  assert.equal(header.addresses?.source.port, client.connection.localPort);
});
