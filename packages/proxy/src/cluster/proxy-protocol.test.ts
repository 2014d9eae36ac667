import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProxyHeader } from '../inspect/proxy-protocol.ts';
import { routedHttpChain, socketAddress, staticCluster, tcpChain, typed } from '../listener/test-proxy.ts';
import { type Backend, type World, virtualWorld, worlds } from '../listener/test-worlds.ts';

/** A cluster's transport socket with a PROXY protocol header in front of plain bytes. */
function withHeader(version: 'V1' | 'V2', inner: object = rawBuffer): object {
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.upstream_proxy_protocol',
      typed_config: typed('transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
        config: { version },
        transport_socket: inner,
      }),
    },
  };
}

const rawBuffer = {
  name: 'envoy.transport_sockets.raw_buffer',
  typed_config: typed('transport_sockets.raw_buffer.v3.RawBuffer'),
};

async function load(world: World, backend: Backend, chain: object, cluster: object): Promise<string[]> {
  return world.proxy.apply({
    listeners: [{ name: 'l', address: socketAddress(world.proxyHost, 0), filter_chains: [chain] }],
    clusters: [staticCluster('be', world.serverHost, [backend.port], cluster)],
  });
}

/** The port in the header that a backend's connection began with; null while there is none. */
function sourcePort({ accepted }: Backend, index: number): number | null {
  const received = accepted[index]?.handler.received ?? Buffer.alloc(0);
  const header = readProxyHeader(received, received.length);
  return header.kind === 'header' ? header.addresses!.source.port : null;
}

for (const [name, createWorld] of worlds) {
  for (const version of ['V1', 'V2'] as const) {
    test(`${name}: a byte stream begins with a header of ${version} that names both ends`, async (t) => {
      const world = createWorld(t);
      const backend = await world.backend();
      assert.deepEqual(await load(world, backend, tcpChain({ cluster: 'be' }), withHeader(version)), []);
      const client = world.connect(world.proxy.port('l'));
      client.connection.writeLatin1('hello');
      await world.until('the bytes are there', () =>
        (backend.accepted[0]?.handler.received.toString('latin1') ?? '').endsWith('hello'),
      );
      const { received } = backend.accepted[0]!.handler;
      const header = readProxyHeader(received, received.length);
      const { remoteAddress, remotePort, localAddress, localPort } = client.connection;
      assert.deepEqual(header, {
        kind: 'header',
        version: version === 'V1' ? 1 : 2,
        length: received.length - 5,
        addresses: {
          source: { host: localAddress, port: localPort },
          destination: { host: remoteAddress, port: remotePort },
        },
      });
    });
  }

  test(`${name}: requests of one client never go out under the header of another`, async (t) => {
    const world = createWorld(t);
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
    const backend = await world.backend(({ connection, handler }) => {
      handler.onBytes = () => {
        if (handler.received.toString('latin1').endsWith('\r\n\r\n')) connection.writeLatin1(answer);
      };
    });
    assert.deepEqual(await load(world, backend, routedHttpChain('be'), withHeader('V2')), []);
    const clients = [0, 1].map(() => world.connect(world.proxy.port('l')));
    for (const round of [1, 2]) {
      for (const { connection, handler } of clients) {
        connection.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
        await world.until(
          'it is answered',
          () => handler.received.toString().split('\r\n\r\nok').length === round + 1,
        );
      }
    }
    assert.equal(backend.accepted.length, 2);
    assert.deepEqual(
      [sourcePort(backend, 0), sourcePort(backend, 1)],
      clients.map(({ connection }) => connection.localPort),
    );
  });
}

test('a header in front of a header is refused, and one in front of nothing', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  const { transport_socket: inner } = withHeader('V1') as { transport_socket: object };
  const place = 'static_resources.clusters[0].transport_socket.typed_config.transport_socket';
  assert.deepEqual(await load(world, backend, tcpChain({ cluster: 'be' }), withHeader('V1', inner)), [
    `${place}: a second header would be taken for the client's bytes`,
  ]);
});
