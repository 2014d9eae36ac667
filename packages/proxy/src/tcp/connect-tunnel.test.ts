import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TimerWheel } from '@heddle/base';
import { RecordingHandler, VirtualClock } from '@heddle/testkit';
import type { ClientStream, UpstreamExchange } from '../codec/client-stream.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import { connectRequest } from './connect-request.ts';
import { ConnectTunnel } from './connect-tunnel.ts';
import { socketAddress, staticCluster, tcpChain } from '../listener/test-proxy.ts';
import { type Backend, type World, worlds } from '../listener/test-worlds.ts';

interface Tunnels {
  readonly world: World;
  readonly backend: Backend;
}

/** A listener `tcp` whose connections become streams of its upstream. */
async function start(
  t: TestContext,
  createWorld: (t: TestContext) => World,
  proxy: object,
): Promise<Tunnels> {
  const world = createWorld(t);
  const backend = await world.backend();
  await world.proxy.load({
    listeners: [
      {
        name: 'tcp',
        address: socketAddress(world.proxyHost, 0),
        filter_chains: [tcpChain({ cluster: 'be', ...proxy })],
      },
    ],
    clusters: [staticCluster('be', world.serverHost, [backend.port], { connect_timeout: '1s' })],
  });
  return { world, backend };
}

for (const [name, createWorld] of worlds) {
  test(`${name}: connections become streams that CONNECT opens`, async (t) => {
    const { world, backend } = await start(t, createWorld, {
      tunneling_config: {
        hostname: 'db.prod:5432',
        headers_to_add: [{ header: { key: 'X-From', value: 'here' } }],
      },
    });
    const client = world.connect(world.proxy.port('tcp'));
    client.connection.writeLatin1('hello');
    const head = 'CONNECT db.prod:5432 HTTP/1.1\r\nhost: db.prod:5432\r\nx-from: here\r\n\r\n';
    await world.until('the request is there', () => backend.accepted[0]?.handler.bytes === head.length);
    const server = backend.accepted[0]!;
    assert.equal(server.handler.received.toString(), head);
    server.connection.writeLatin1('HTTP/1.1 200 OK\r\n\r\ngood ');
    await world.until('the bytes are there', () => server.handler.bytes === head.length + 5);
    server.connection.writeLatin1('day');
    await world.until('the answer is there', () => client.handler.bytes === 8);
    assert.equal(server.handler.received.toString(), `${head}hello`);
    assert.equal(client.handler.received.toString(), 'good day');
    client.connection.end();
    await world.until('the end is there', () => server.handler.ends === 1);
    server.connection.end();
    await world.until('the client has heard of it', () => client.handler.ends === 1);
  });

  test(`${name}: a stream that is refused is no connection`, async (t) => {
    const { world, backend } = await start(t, createWorld, {
      tunneling_config: { hostname: 'db:1' },
      max_connect_attempts: 2,
    });
    const client = world.connect(world.proxy.port('tcp'));
    for (const attempt of [0, 1]) {
      await world.until('it is asked for', () => (backend.accepted[attempt]?.handler.bytes ?? 0) > 0);
      backend.accepted[attempt]!.connection.writeLatin1(
        'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n',
      );
    }
    await world.until('the client has heard', () => client.handler.ends + client.handler.closes > 0);
    assert.equal(backend.accepted.length, 2);
  });

  test(`${name}: a stream that is not granted in time is none`, async (t) => {
    const { world, backend } = await start(t, createWorld, { tunneling_config: { hostname: 'db:1' } });
    const client = world.connect(world.proxy.port('tcp'));
    await world.until('it is asked for', () => (backend.accepted[0]?.handler.bytes ?? 0) > 0);
    const server = backend.accepted[0]!.handler;
    await world.until('the request is given up', () => server.ends + server.closes > 0);
    await world.until('the client has heard', () => client.handler.ends + client.handler.closes > 0);
    await world.until('nothing is left', () => world.proxy.proxy.listeners.busy === 0);
  });
}

test('whoever waits for a stream is not told that it takes bytes, before there is one', () => {
  const handler = new RecordingHandler();
  let exchange: UpstreamExchange | undefined;
  const stream: Partial<ClientStream> = {
    sendHead: (whose) => {
      exchange = whose;
      return false;
    },
    endRequest: () => undefined,
  };
  const pool: Partial<ConnectionPool> = {
    acquire: (waiter) => waiter.onConnection(stream as ClientStream),
  };
  const request = connectRequest({ authority: 'db:1', fields: [] });
  const timers = new TimerWheel(new VirtualClock(), 10);
  new ConnectTunnel(handler, pool as ConnectionPool, request, timers).start(1_000);
  exchange!.onRequestDrain();
  assert.equal(handler.drains, 0);
});
