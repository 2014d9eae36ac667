import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@heddle/testkit';
import { socketAddress, staticCluster, tcpChain, typed } from '../listener/test-proxy.ts';
import {
  type Backend,
  type End,
  type World,
  socketWorld,
  virtualWorld,
  worlds,
} from '../listener/test-worlds.ts';

/** A listener `tcp` whose only chain leads to the cluster `be` with these ports. */
async function load(
  world: World,
  ports: readonly number[],
  proxy: object = {},
  cluster: object = {},
  listener: object = {},
): Promise<void> {
  await world.proxy.load({
    listeners: [
      {
        name: 'tcp',
        address: socketAddress(world.proxyHost, 0),
        filter_chains: [tcpChain({ cluster: 'be', ...proxy })],
        ...listener,
      },
    ],
    clusters: [staticCluster('be', world.serverHost, ports, cluster)],
  });
}

/** A client connected through the proxy to a backend. */
async function open(world: World, backend: Backend): Promise<{ client: End; server: End }> {
  const client = world.connect(world.proxy.port('tcp'));
  await world.until('the backend has accepted', () => backend.accepted.length === 1);
  return { client, server: backend.accepted[0]! };
}

function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

/** Writes all of `bytes` as the connection takes them, then ends where asked to. */
function stream({ connection, handler }: End, bytes: Buffer, ends = false): void {
  let at = 0;
  const go = (): void => {
    while (at < bytes.length) {
      const next = Math.min(at + 50_000, bytes.length);
      const isRoom = connection.write(bytes, at, next);
      at = next;
      if (!isRoom) return;
    }
    if (ends) connection.end();
    ends = false;
  };
  handler.onRoom = go;
  go();
}

for (const [name, createWorld] of worlds) {
  test(`${name}: relays both ways and counts`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend();
    await load(world, [backend.port]);
    const { client, server } = await open(world, backend);
    client.connection.writeLatin1('hello');
    await world.until('the bytes are there', () => server.handler.bytes === 5);
    server.connection.writeLatin1('good day');
    await world.until('the answer is there', () => client.handler.bytes === 8);
    assert.equal(server.handler.received.toString(), 'hello');
    assert.equal(client.handler.received.toString(), 'good day');
    assert.equal(world.proxy.stat('envoy_cluster_upstream_cx_active'), 1);
    assert.equal(world.proxy.stat('envoy_cluster_upstream_rq_active'), 1);
    assert.equal(world.proxy.proxy.listeners.busy, 1);
    client.connection.end();
    await world.until('the end is there', () => server.handler.ends === 1);
    server.connection.end();
    await world.until('both are over', () => client.handler.closes + server.handler.closes === 2);
    await world.until('the relay is over', () => world.proxy.proxy.listeners.busy === 0);
    const stats = [
      'tcp_downstream_cx_total',
      'tcp_downstream_cx_rx_bytes_total',
      'tcp_downstream_cx_tx_bytes_total',
      'cluster_upstream_cx_total',
      'cluster_upstream_cx_active',
      'cluster_upstream_cx_tx_bytes_total',
      'cluster_upstream_cx_rx_bytes_total',
      'cluster_upstream_rq_total',
      'cluster_upstream_rq_active',
    ];
    assert.deepEqual(
      stats.map((stat) => world.proxy.stat(`envoy_${stat}`)),
      [1, 5, 8, 1, 0, 5, 8, 1, 0],
    );
  });

  test(`${name}: a server that speaks first is heard`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend(({ connection }) => connection.writeLatin1('220 ready'));
    await load(world, [backend.port]);
    const client = world.connect(world.proxy.port('tcp'));
    await world.until('the greeting is there', () => client.handler.bytes === 9);
  });

  for (const first of ['client', 'server'] as const) {
    test(`${name}: the ${first} ends its side first, the other direction goes on`, async (t) => {
      const world = createWorld(t);
      const backend = await world.backend();
      await load(world, [backend.port]);
      const { client, server } = await open(world, backend);
      const [one, other] = first === 'client' ? [client, server] : [server, client];
      one.connection.writeLatin1('last words');
      one.connection.end();
      await world.until('the end is there', () => other.handler.ends === 1);
      assert.equal(other.handler.received.toString(), 'last words');
      assert.equal(one.handler.ends, 0);
      const answer = patterned(300_000);
      stream(other, answer, true);
      await world.until('the other end is there', () => one.handler.ends === 1);
      assert.ok(one.handler.received.equals(answer));
      await world.until('both are over', () => one.handler.closes + other.handler.closes === 2);
      assert.deepEqual([one.handler.error, other.handler.error], [null, null]);
    });
  }

  test(`${name}: a side that does not read stops the other, and nothing is lost`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend();
    await load(world, [backend.port]);
    const { client, server } = await open(world, backend);
    server.connection.pauseReading();
    const bytes = patterned(24_000_000);
    let sent = 0;
    const push = (): void => {
      let isRoom = true;
      while (isRoom && sent < bytes.length) {
        const next = Math.min(sent + 64_000, bytes.length);
        isRoom = client.connection.write(bytes, sent, next);
        sent = next;
      }
      if (sent === bytes.length) client.connection.end();
    };
    client.handler.onRoom = push;
    push();
    await world.until(
      'the client has to wait',
      () => world.proxy.stat('envoy_tcp_downstream_flow_control_paused_reading_total') > 0,
    );
    assert.ok(sent < bytes.length);
    server.connection.resumeReading();
    await world.until('everything is there', () => server.handler.ends === 1);
    assert.ok(server.handler.received.equals(bytes));
    assert.equal(
      world.proxy.stat('envoy_tcp_downstream_flow_control_resumed_reading_total'),
      world.proxy.stat('envoy_tcp_downstream_flow_control_paused_reading_total'),
    );
    stream(server, bytes, true);
    await world.until('everything is back', () => client.handler.ends === 1);
    assert.ok(client.handler.received.equals(bytes));
  });

  test(`${name}: an upstream that can't be reached closes the connection`, async (t) => {
    const world = createWorld(t);
    const dead = await world.deadPort();
    await load(world, [dead]);
    const client = world.connect(world.proxy.port('tcp'));
    await world.until('it is over', () => client.handler.ends + client.handler.closes > 0);
    assert.equal(world.proxy.stat('envoy_cluster_upstream_cx_connect_fail'), 1);
    assert.equal(world.proxy.stat('envoy_cluster_upstream_cx_connect_attempts_exceeded'), 1);
  });

  test(`${name}: a connect that fails is tried again as often as configured`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend();
    const dead = await world.deadPort();
    await load(world, [dead, backend.port], { max_connect_attempts: 2 });
    // One of the two begins with the endpoint that is dead.
    for (const count of [1, 2]) {
      world.connect(world.proxy.port('tcp')).connection.writeLatin1('x');
      await world.until('it arrives', () => backend.accepted[count - 1]?.handler.bytes === 1);
    }
    assert.ok(world.proxy.stat('envoy_cluster_upstream_cx_connect_fail') > 0);
  });

  for (const side of ['client', 'server'] as const) {
    test(`${name}: a reset of the ${side} is one for the other side`, async (t) => {
      const world = createWorld(t);
      const backend = await world.backend();
      await load(world, [backend.port]);
      const { client, server } = await open(world, backend);
      client.connection.writeLatin1('x');
      await world.until('it is relayed', () => server.handler.bytes === 1);
      const [gone, other] = side === 'client' ? [client, server] : [server, client];
      gone.connection.reset();
      await world.until('the other side is over', () => other.handler.closes === 1);
      assert.equal(other.handler.error?.kind, 'reset');
    });

    test(`${name}: a ${side} that is gone takes the other side with it`, async (t) => {
      const world = createWorld(t);
      const backend = await world.backend();
      await load(world, [backend.port]);
      const { client, server } = await open(world, backend);
      client.connection.writeLatin1('x');
      await world.until('it is relayed', () => server.handler.bytes === 1);
      const [gone, other] = side === 'client' ? [client, server] : [server, client];
      // Unread bytes make a reset of it.
      gone.connection.pauseReading();
      other.connection.writeLatin1('unread');
      await world.until('they are relayed', () =>
        side === 'client'
          ? world.proxy.stat('envoy_tcp_downstream_cx_tx_bytes_total') === 6
          : world.proxy.stat('envoy_tcp_downstream_cx_rx_bytes_total') === 7,
      );
      gone.connection.destroy();
      await world.until('the other side is over', () => other.handler.closes + other.handler.ends > 0);
      other.connection.destroy();
      await world.until('the relay is over', () => world.proxy.proxy.listeners.busy === 0);
      assert.equal(world.proxy.stat('envoy_cluster_upstream_cx_active'), 0);
    });
  }
}

test('closes a connection on which nothing comes for too long, and no other', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(world, [backend.port], { idle_timeout: '10s' });
  const { client, server } = await open(world, backend);
  await world.virtual!.advanceAsync(9000);
  client.connection.writeLatin1('x');
  await world.virtual!.advanceAsync(9000);
  server.connection.writeLatin1('y');
  await world.virtual!.advanceAsync(9000);
  assert.equal(client.handler.closes + server.handler.closes, 0);
  await world.virtual!.advanceAsync(2000);
  assert.equal(client.handler.ends + client.handler.closes > 0, true);
  assert.equal(server.handler.ends + server.handler.closes > 0, true);
  assert.equal(world.proxy.stat('envoy_tcp_idle_timeout'), 1);
});

test('an idle timeout of 0 is none', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(world, [backend.port], { idle_timeout: '0s' });
  const { client } = await open(world, backend);
  await world.virtual!.advanceAsync(10 * 3_600_000);
  assert.equal(client.handler.ends + client.handler.closes, 0);
});

test('closes a connection that has lasted as long as it may, busy or not', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(world, [backend.port], { max_downstream_connection_duration: '10s' });
  const { client } = await open(world, backend);
  for (let second = 0; second < 9; second++) {
    client.connection.writeLatin1('x');
    await world.virtual!.advanceAsync(1000);
  }
  assert.equal(client.handler.ends + client.handler.closes, 0);
  await world.virtual!.advanceAsync(2000);
  assert.equal(client.handler.ends + client.handler.closes > 0, true);
  assert.equal(world.proxy.stat('envoy_tcp_max_downstream_connection_duration'), 1);
});

test('shares connections among clusters by weight', async (t) => {
  const world = virtualWorld(t);
  const [light, heavy] = [await world.backend(), await world.backend()];
  const clusters = [
    { name: 'light', weight: 1 },
    { name: 'heavy', weight: 9 },
  ];
  const chain = tcpChain({ weighted_clusters: { clusters } });
  await world.proxy.load({
    listeners: [{ name: 'tcp', address: socketAddress(world.proxyHost, 0), filter_chains: [chain] }],
    clusters: [
      staticCluster('light', world.serverHost, [light.port]),
      staticCluster('heavy', world.serverHost, [heavy.port]),
    ],
  });
  for (let count = 0; count < 200; count++) world.connect(world.proxy.port('tcp'));
  await world.until('all arrive', () => light.accepted.length + heavy.accepted.length === 200);
  assert.ok(light.accepted.length > 5 && light.accepted.length < 45, `${light.accepted.length}`);
});

/** What the access log says of one connection that sends `x`, as flags, cluster and host. */
async function logged(
  world: World,
  proxy: object,
  cluster: object,
  ports: readonly number[],
): Promise<string> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'access.log');
  const format = '%RESPONSE_FLAGS% %UPSTREAM_CLUSTER% %BYTES_RECEIVED%\n';
  const file = typed('access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: { text_format_source: { inline_string: format } },
  });
  await load(world, ports, { access_log: [{ name: 'file', typed_config: file }], ...proxy }, cluster);
  const client = world.connect(world.proxy.port('tcp'));
  client.connection.writeLatin1('x');
  await world.until('it is over', () => client.handler.ends + client.handler.closes > 0);
  client.connection.destroy();
  await world.until('the relay is over', () => world.proxy.proxy.listeners.busy === 0);
  await world.close();
  return readFileSync(path, 'utf8');
}

test('logs why there was no upstream, with the flags of Envoy', async (t) => {
  const world = socketWorld(t);
  const dead = await world.deadPort();
  assert.equal(await logged(world, {}, {}, [dead]), 'UF,URX be 0\n');
  assert.equal(await logged(socketWorld(t), { cluster: 'none' }, {}, [dead]), 'NC - 0\n');
  assert.equal(await logged(socketWorld(t), {}, {}, []), 'UH be 0\n');
});

for (const [direction, busy] of [
  ['INBOUND', 1],
  ['OUTBOUND', 0],
] as const) {
  test(`who drains waits for ${busy} of the ${direction} connections`, async (t) => {
    const world = virtualWorld(t);
    const backend = await world.backend();
    await load(world, [backend.port], {}, {}, { traffic_direction: direction });
    await open(world, backend);
    assert.equal(world.proxy.proxy.listeners.busy, busy);
  });
}
