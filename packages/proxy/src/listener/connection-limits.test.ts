// How many connections are taken, and that every one is counted from its first moment to its last. Counts are Envoy's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { test } from 'node:test';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { clientHello } from '@heddle/testkit';
import { httpChain, socketAddress, staticCluster, tcpChain, typed } from './test-proxy.ts';
import { type End, type World, socketWorld, virtualWorld, worlds } from './test-worlds.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
/** What is answered, to the last letter. */
const answers = /(?:hi|hello|one|two|three|inner|outer)$/;
const root = makeRoot('cluster.local');

function listener(world: World, name: string, chain: object, more: object = {}): object {
  return {
    name,
    stat_prefix: name,
    address: socketAddress(world.proxyHost, 0),
    filter_chains: [chain],
    ...more,
  };
}

/** A chain with a `connection_limit` filter in front of what serves it. */
function limited(chain: object, maxConnections: number, delay?: string, prefix = 'few'): object {
  const config = typed('filters.network.connection_limit.v3.ConnectionLimit', {
    stat_prefix: prefix,
    max_connections: maxConnections,
    ...(delay === undefined ? {} : { delay }),
  });
  const { filters } = chain as { readonly filters: readonly object[] };
  return { ...chain, filters: [{ name: 'limit', typed_config: config }, ...filters] };
}

function secured(chain: object, more: object = {}): object {
  const { pem, keyPem } = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/gateway');
  const certificate = { certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } };
  const socket = typed('transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: { tls_certificates: [certificate], alpn_protocols: ['http/1.1'] },
  });
  return {
    ...chain,
    transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: socket },
    ...more,
  };
}

/** Connects and asks; the answer's last word, or that there was none. */
async function visit(world: World, name: string): Promise<{ readonly end: End; readonly got: string }> {
  const end = world.connect(world.proxy.port(name));
  end.connection.writeLatin1(get);
  const { handler } = end;
  const isAnswered = (): boolean => answers.test(handler.received.toString());
  await world.until('it is answered or refused', () => isAnswered() || handler.ends + handler.closes > 0);
  return { end, got: handler.received.toString().split('\n').at(-1) ?? '' };
}

function stats(world: World, ...names: readonly string[]): number[] {
  return names.map((name) => world.proxy.stat(`envoy_${name}`));
}

for (const [name, createWorld] of worlds) {
  test(`${name}: the process takes no more connections than it may, but on listeners that ignore that`, async (t) => {
    const world = createWorld(t, { total: 2, byListener: new Map() });
    await world.proxy.load({
      listeners: [
        listener(world, 'a', httpChain('hi')),
        listener(world, 'b', httpChain('hi')),
        listener(world, 'c', httpChain('hi'), { ignore_global_conn_limit: true }),
      ],
    });
    const [first, second, third] = [
      await visit(world, 'a'),
      await visit(world, 'b'),
      await visit(world, 'b'),
    ];
    assert.deepEqual([first.got, second.got, third.got], ['hi', 'hi', '']);
    assert.equal((await visit(world, 'c')).got, 'hi');
    assert.deepEqual(
      stats(world, 'listener_downstream_cx_total', 'listener_downstream_global_cx_overflow'),
      [3, 1],
    );
    first.end.connection.destroy();
    await world.until('it is gone', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 2);
    assert.equal((await visit(world, 'b')).got, 'hi');
    assert.equal((await visit(world, 'a')).got, '');
  });

  test(`${name}: a listener takes no more connections than it may, and what it refuses does not count`, async (t) => {
    const world = createWorld(t, { total: 2, byListener: new Map([['a', 1]]) });
    await world.proxy.load({
      listeners: [listener(world, 'a', httpChain('hi')), listener(world, 'b', httpChain('hi'))],
    });
    const got = [];
    for (const one of ['a', 'a', 'a', 'b', 'b']) got.push((await visit(world, one)).got);
    assert.deepEqual(got, ['hi', '', '', 'hi', '']);
    assert.deepEqual(
      stats(world, 'listener_downstream_cx_overflow', 'listener_downstream_global_cx_overflow'),
      [2, 1],
    );
  });

  test(`${name}: a filter limits the connections of its chain`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend(({ connection }) => connection.writeLatin1('hello'));
    await world.proxy.load({
      listeners: [
        listener(world, 'a', limited(httpChain('hi'), 1)),
        listener(world, 'b', limited(tcpChain({ cluster: 'be' }), 1)),
      ],
      clusters: [staticCluster('be', world.serverHost, [backend.port])],
    });
    const got = [];
    for (const one of ['a', 'a', 'b', 'b']) got.push((await visit(world, one)).got);
    assert.deepEqual(got, ['hi', '', 'hello', '']);
    await world.until('they are gone', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 2);
    const limits = ['connection_limit_active_connections', 'connection_limit_limited_connections'];
    assert.deepEqual(stats(world, ...limits), [2, 2]);
    assert.deepEqual(
      stats(
        world,
        'listener_downstream_cx_total',
        'listener_downstream_cx_destroy',
        'tcp_downstream_cx_total',
      ),
      [4, 2, 2],
    );
    const http = ['total', 'active', 'destroy', 'destroy_local'].map((one) => `http_downstream_cx_${one}`);
    assert.deepEqual(stats(world, ...http), [2, 1, 1, 1]);
    assert.equal(backend.accepted.length, 1);
  });

  test(`${name}: what is being looked at has its place, what no chain serves gives it back`, async (t) => {
    const world = createWorld(t, { total: 2, byListener: new Map([['a', 1]]) });
    const inspector = { name: 'i', typed_config: typed('filters.listener.tls_inspector.v3.TlsInspector') };
    await world.proxy.load({
      listeners: [
        listener(world, 'a', httpChain('hi', { filter_chain_match: { transport_protocol: 'tls' } }), {
          listener_filters: [inspector],
        }),
      ],
    });
    // No chain serves them: each gives its place back.
    for (let index = 0; index < 3; index++) assert.equal((await visit(world, 'a')).got, '');
    assert.deepEqual(
      stats(world, 'listener_no_filter_chain_match', 'listener_downstream_cx_overflow'),
      [3, 0],
    );
    // One that is being looked at has its place.
    const silent = world.connect(world.proxy.port('a'));
    await world.until('it waits', () => world.proxy.stat('envoy_listener_downstream_pre_cx_active') === 1);
    assert.equal((await visit(world, 'a')).got, '');
    assert.deepEqual(stats(world, 'listener_downstream_cx_overflow'), [1]);
    silent.connection.destroy();
    await world.until('it is gone', () => world.proxy.stat('envoy_listener_downstream_pre_cx_active') === 0);
    await visit(world, 'a');
    assert.deepEqual(stats(world, 'listener_downstream_cx_overflow'), [1]);
  });
}

test('a connection that is refused after a while keeps others out until then', async (t) => {
  const world = virtualWorld(t);
  await world.proxy.load({ listeners: [listener(world, 'a', limited(httpChain('hi'), 1, '10s'))] });
  const first = await visit(world, 'a');
  const waiting = [0, 1].map(() => world.connect(world.proxy.port('a')));
  world.virtual!.advance(9000);
  for (const { connection } of waiting) connection.writeLatin1(get);
  world.virtual!.advance(500);
  assert.deepEqual(
    waiting.map(({ handler }) => [handler.bytes, handler.closes + handler.ends]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  first.end.connection.destroy();
  waiting[0]!.connection.end();
  world.virtual!.advance(100);
  assert.deepEqual(stats(world, 'connection_limit_active_connections'), [1]);
  const late = world.connect(world.proxy.port('a'));
  late.connection.writeLatin1(get);
  world.virtual!.advance(500);
  assert.deepEqual([waiting[1]!.handler.closes, late.handler.bytes], [1, 0]);
  assert.equal((await visit(world, 'a')).got, '');
  world.virtual!.advance(11_000);
  assert.equal((await visit(world, 'a')).got, 'hi');
  assert.deepEqual(
    stats(world, 'connection_limit_limited_connections', 'http_downstream_cx_destroy_local'),
    [4, 3],
  );
});

test('a limit holds from the first moment of a TLS connection, and what a broken handshake took is given back', async (t) => {
  const world = socketWorld(t, { total: 3, byListener: new Map() });
  await world.proxy.load({ listeners: [listener(world, 'a', limited(secured(httpChain('hi')), 2))] });
  const port = world.proxy.port('a');
  const hello = clientHello({ serverName: 'a', alpn: ['http/1.1'] });
  const begun = [0, 1].map(() => world.connect(port));
  for (const { connection } of begun) connection.write(hello, 0, 20);
  await world.until('both are there', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 2);
  const { handler } = world.connect(port);
  await world.until('one too many', () => handler.ends + handler.closes > 0);
  for (const { connection } of begun) connection.destroy();
  await world.until('all are gone', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 0);
  assert.deepEqual(
    stats(world, 'connection_limit_active_connections', 'listener_downstream_global_cx_overflow'),
    [0, 0],
  );
  const all = ['total', 'active', 'destroy', 'destroy_local', 'destroy_remote', 'ssl_total', 'ssl_active'];
  assert.deepEqual(stats(world, ...all.map((one) => `http_downstream_cx_${one}`)), [3, 0, 3, 1, 2, 3, 0]);
  assert.deepEqual(stats(world, 'listener_ssl_connection_error', 'http_downstream_cx_http1_total'), [0, 0]);
  for (let index = 0; index < 4; index++) {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: root.pem,
      checkServerIdentity: () => undefined,
    });
    socket.on('secureConnect', () => socket.write(get));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /hi$/);
    socket.destroy();
    await world.until('it is gone', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 0);
  }
  assert.deepEqual(stats(world, 'http_downstream_cx_total', 'http_downstream_cx_http1_total'), [7, 4]);
});

test('a TLS handshake may take as long as its chain says', async (t) => {
  const world = virtualWorld(t);
  await world.proxy.load({
    listeners: [
      listener(world, 'short', secured(httpChain('hi'), { transport_socket_connect_timeout: '2s' })),
      listener(world, 'usual', secured(httpChain('hi'))),
      listener(world, 'none', secured(httpChain('hi'), { transport_socket_connect_timeout: '0s' })),
    ],
  });
  const ends = ['short', 'usual', 'none'].map((one) => world.connect(world.proxy.port(one)));
  const open = (): number => ends.filter(({ handler }) => handler.closes + handler.ends === 0).length;
  world.virtual!.advance(1500);
  assert.equal(open(), 3);
  world.virtual!.advance(2000);
  assert.equal(open(), 2);
  world.virtual!.advance(9000);
  assert.equal(open(), 1);
  world.virtual!.advance(100_000);
  assert.equal(open(), 1);
  assert.deepEqual(
    stats(
      world,
      'listener_downstream_cx_transport_socket_connect_timeout',
      'http_downstream_cx_destroy_local',
    ),
    [2, 2],
  );
});

test('a connection that is handed over has its place with the listener that it was meant for', async (t) => {
  const lookup = (): { host: string; port: number } => ({ host: '10.9.9.9', port: 80 });
  const limits = { total: 3, byListener: new Map([['outer', 1]]) };
  const world = virtualWorld(t, 1, { lookup }, limits);
  const filter = { name: 'o', typed_config: typed('filters.listener.original_dst.v3.OriginalDst') };
  await world.proxy.load({
    listeners: [
      listener(world, 'outer', httpChain('outer'), { listener_filters: [filter], use_original_dst: true }),
      {
        ...listener(world, 'inner', httpChain('inner'), { bind_to_port: false }),
        address: socketAddress('10.9.9.9', 80),
      },
    ],
  });
  const visits = [await visit(world, 'outer'), await visit(world, 'outer'), await visit(world, 'outer')];
  assert.deepEqual(
    visits.map(({ got }) => got),
    ['inner', 'inner', 'inner'],
  );
  assert.equal((await visit(world, 'outer')).got, '');
  assert.deepEqual(
    stats(world, 'listener_downstream_cx_overflow', 'listener_downstream_global_cx_overflow'),
    [0, 1],
  );
  for (const { end } of visits) end.connection.destroy();
  await world.until('all are gone', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 0);
  assert.equal((await visit(world, 'outer')).got, 'inner');
});

test('a limit goes on counting through changes that its connections outlive', async (t) => {
  const world = virtualWorld(t, 1, undefined, { total: 2, byListener: new Map() });
  const load = (chain: object): Promise<void> =>
    world.proxy.load({ listeners: [listener(world, 'a', chain)] });
  await load(limited(httpChain('one'), 2));
  await visit(world, 'a');
  await load(limited(httpChain('two'), 2));
  assert.equal((await visit(world, 'a')).got, 'two');
  assert.equal((await visit(world, 'a')).got, '');
  // Another limit makes another chain; the old one's connections drain, and have their place until they are gone.
  await load(limited(httpChain('three'), 1));
  await world.until('they drain', () => world.proxy.stat('envoy_listener_downstream_cx_active') === 0);
  assert.deepEqual([(await visit(world, 'a')).got, (await visit(world, 'a')).got], ['three', '']);
});
