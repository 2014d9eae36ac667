import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientHello, temporaryDirectory } from '@heddle/testkit';
import { httpChain, socketAddress, staticCluster, tcpChain, typed } from './test-proxy.ts';
import { type Backend, type End, type World, socketWorld, virtualWorld, worlds } from './test-worlds.ts';

const tlsInspector = { name: 'tls', typed_config: typed('filters.listener.tls_inspector.v3.TlsInspector') };
const httpInspector = {
  name: 'http',
  typed_config: typed('filters.listener.http_inspector.v3.HttpInspector'),
};

function proxyProtocol(config: object = {}): object {
  const typedConfig = typed('filters.listener.proxy_protocol.v3.ProxyProtocol', config);
  return { name: 'proxy', typed_config: typedConfig };
}

/** One listener with these filters and chains, and clusters of one backend each. */
async function load(
  world: World,
  listener: object,
  backends: Readonly<Record<string, Backend>> = {},
): Promise<void> {
  await world.proxy.load({
    listeners: [{ name: 'l', address: socketAddress(world.proxyHost, 0), ...listener }],
    clusters: Object.entries(backends).map(([name, { port }]) =>
      staticCluster(name, world.serverHost, [port]),
    ),
  });
}

function isOver({ handler }: End): boolean {
  return handler.ends + handler.closes > 0;
}

/** The body of the response; null until all of it is there. */
function bodyOf({ handler }: End): string | null {
  const [head = '', body] = handler.received.toString().split('\r\n\r\n');
  const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
  return body === undefined || body.length < length ? null : body;
}

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

for (const [name, createWorld] of worlds) {
  test(`${name}: server names lead to backends without TLS being terminated`, async (t) => {
    const world = createWorld(t);
    const [a, b, other] = [await world.backend(), await world.backend(), await world.backend()];
    await load(
      world,
      {
        listener_filters: [tlsInspector],
        filter_chains: [
          tcpChain({ cluster: 'a' }, { filter_chain_match: { server_names: ['a.example.com'] } }),
          tcpChain({ cluster: 'b' }, { filter_chain_match: { server_names: ['*.example.com'] } }),
        ],
        default_filter_chain: tcpChain({ cluster: 'other' }),
      },
      { a, b, other },
    );
    const hello = (serverName: string): Buffer => clientHello({ serverName, alpn: ['h2'] });
    const sent = [hello('A.example.com'), hello('b.example.com'), hello('example.com'), Buffer.from('GET')];
    for (const bytes of sent) {
      const client = world.connect(world.proxy.port('l'));
      client.connection.write(bytes, 0, bytes.length);
    }
    await world.until(
      'all arrive',
      () => a.accepted.length === 1 && b.accepted.length === 1 && other.accepted.length === 2,
    );
    const bytesOf = ({ accepted }: Backend): number[] =>
      accepted.map(({ handler }) => handler.bytes).toSorted((one, two) => one - two);
    await world.until(
      'their bytes too',
      () =>
        bytesOf(a)[0] === sent[0]!.length &&
        bytesOf(b)[0] === sent[1]!.length &&
        bytesOf(other)[0] === 3 &&
        bytesOf(other)[1] === sent[2]!.length,
    );
    assert.deepEqual(a.accepted[0]!.handler.received, sent[0]);
    assert.equal(world.proxy.stat('envoy_tls_inspector_tls_found'), 3);
    assert.equal(world.proxy.stat('envoy_tls_inspector_tls_not_found'), 1);
    assert.equal(world.proxy.stat('envoy_listener_downstream_cx_total'), 4);
    assert.equal(world.proxy.stat('envoy_listener_downstream_pre_cx_active'), 0);
  });

  test(`${name}: HTTP is told from other protocols`, async (t) => {
    const world = createWorld(t);
    const [raw, h2] = [await world.backend(), await world.backend()];
    await load(
      world,
      {
        listener_filters: [httpInspector],
        filter_chains: [
          httpChain('yes', {
            filter_chain_match: { transport_protocol: 'raw_buffer', application_protocols: ['http/1.1'] },
          }),
          tcpChain(
            { cluster: 'h2' },
            { filter_chain_match: { transport_protocol: 'raw_buffer', application_protocols: ['h2c'] } },
          ),
        ],
        default_filter_chain: tcpChain({ cluster: 'raw' }),
      },
      { raw, h2 },
    );
    const clients = [get, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\0\x01binary'].map((text) => {
      const client = world.connect(world.proxy.port('l'));
      client.connection.writeLatin1(text);
      return client;
    });
    await world.until(
      'each is where it belongs',
      () =>
        clients[0]!.handler.received.toString().endsWith('yes') &&
        h2.accepted[0]?.handler.bytes === 24 &&
        raw.accepted[0]?.handler.bytes === 8,
    );
  });

  test(`${name}: a connection that no chain matches is closed and counted`, async (t) => {
    const world = createWorld(t);
    await load(world, {
      filter_chains: [httpChain('x', { filter_chain_match: { source_ports: [1] } })],
    });
    const client = world.connect(world.proxy.port('l'));
    await world.until('it is closed', () => isOver(client));
    assert.equal(world.proxy.stat('envoy_listener_no_filter_chain_match'), 1);
    assert.equal(world.proxy.stat('envoy_listener_downstream_cx_total'), 0);
  });

  test(`${name}: the PROXY protocol says who the client is`, async (t) => {
    const world = createWorld(t);
    await load(world, {
      listener_filters: [proxyProtocol()],
      filter_chains: [
        httpChain('from there', {
          filter_chain_match: {
            destination_port: 4430,
            source_prefix_ranges: [{ address_prefix: '192.0.2.0', prefix_len: 24 }],
          },
        }),
      ],
      default_filter_chain: httpChain('from elsewhere'),
    });
    const ask = async (header: string): Promise<string> => {
      const client = world.connect(world.proxy.port('l'));
      client.connection.writeLatin1(header + get);
      await world.until('it is answered', () => isOver(client) || bodyOf(client) !== null);
      client.connection.destroy();
      return bodyOf(client) ?? '';
    };
    assert.equal(await ask('PROXY TCP4 192.0.2.7 198.51.100.1 5000 4430\r\n'), 'from there');
    assert.equal(await ask('PROXY TCP4 203.0.113.7 198.51.100.1 5000 4430\r\n'), 'from elsewhere');
    assert.equal(await ask('PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\n'), 'from elsewhere');
    assert.equal(await ask('PROXY UNKNOWN\r\n'), 'from elsewhere');
    assert.equal(await ask(''), '');
    assert.equal(await ask('PROXY TCP4 192.0.2.7 198.51.100.1 05000 4430\r\n'), '');
    assert.equal(world.proxy.stat('envoy_proxy_proto_versions_v1_found'), 4);
    assert.equal(world.proxy.stat('envoy_proxy_proto_versions_v1_error'), 1);
    assert.equal(world.proxy.stat('envoy_proxy_proto_not_found_disallowed'), 1);
  });

  test(`${name}: connections without a PROXY header are taken where that is allowed`, async (t) => {
    const world = createWorld(t);
    await load(world, {
      listener_filters: [proxyProtocol({ allow_requests_without_proxy_protocol: true })],
      filter_chains: [httpChain('hello')],
    });
    const client = world.connect(world.proxy.port('l'));
    client.connection.writeLatin1(get);
    await world.until('it is answered', () => client.handler.received.toString().endsWith('hello'));
    assert.equal(world.proxy.stat('envoy_proxy_proto_not_found_allowed'), 1);
  });

  test(`${name}: a changed chain drains its own connections, the others keep serving`, async (t) => {
    const world = createWorld(t);
    const backend = await world.backend();
    const listener = (body: string): object => ({
      listener_filters: [tlsInspector],
      filter_chains: [
        tcpChain({ cluster: 'be' }, { filter_chain_match: { server_names: ['a'] } }),
        httpChain(body, { filter_chain_match: { transport_protocol: 'raw_buffer' } }),
      ],
    });
    await load(world, listener('one'), { be: backend });
    const port = world.proxy.port('l');
    const hello = clientHello({ serverName: 'a', alpn: [] });
    const relayed = world.connect(port);
    relayed.connection.write(hello, 0, hello.length);
    const asking = world.connect(port);
    asking.connection.writeLatin1(get);
    await world.until(
      'both are served',
      () =>
        backend.accepted[0]?.handler.bytes === hello.length &&
        asking.handler.received.toString().endsWith('one'),
    );
    await world.proxy.load({
      listeners: [{ name: 'l', address: socketAddress(world.proxyHost, 0), ...listener('two') }],
      clusters: [staticCluster('be', world.serverHost, [backend.port])],
    });
    assert.equal(world.proxy.port('l'), port);
    asking.connection.writeLatin1(get);
    await world.until('it is answered anew', () => asking.handler.received.toString().endsWith('two'));
    relayed.connection.writeLatin1('more');
    await world.until('it is relayed', () => backend.accepted[0]!.handler.bytes === hello.length + 4);
    assert.equal(isOver(relayed) || isOver(asking), false);
    assert.equal(world.proxy.proxy.listeners.drainingCount, 0);
  });
}

test("a listener's access log tells of all connections, those that nothing serves too", async (t) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'access.log');
  const inline_string =
    '%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %UPSTREAM_CLUSTER% %REQUESTED_SERVER_NAME%\n';
  const file = typed('access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: { text_format_source: { inline_string } },
  });
  const world = socketWorld(t);
  const backend = await world.backend();
  await load(
    world,
    {
      access_log: [{ name: 'file', typed_config: file }],
      listener_filters: [tlsInspector],
      filter_chains: [tcpChain({ cluster: 'be' }, { filter_chain_match: { server_names: ['a'] } })],
    },
    { be: backend },
  );
  const visit = async (bytes: Buffer): Promise<void> => {
    const client = world.connect(world.proxy.port('l'));
    client.connection.write(bytes, 0, bytes.length);
    await world.until('it is served or not', () => isOver(client) || backend.accepted.length > 0);
    client.connection.reset();
    await world.until('it is over', () => world.proxy.proxy.listeners.busy === 0);
  };
  await visit(Buffer.from('no TLS'));
  const hello = clientHello({ serverName: 'a', alpn: [] });
  await visit(hello);
  await world.close();
  assert.deepEqual(readFileSync(path, 'utf8').split('\n'), [
    'NR filter_chain_not_found 0 - -',
    `- - ${hello.length} be a`,
    '',
  ]);
});

test('an HTTP inspector leaves the protocols of TLS alone', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(
    world,
    {
      listener_filters: [tlsInspector, httpInspector],
      filter_chains: [
        tcpChain({ cluster: 'be' }, { filter_chain_match: { application_protocols: ['http/1.1'] } }),
      ],
    },
    { be: backend },
  );
  const hello = clientHello({ serverName: '', alpn: ['http/1.1'] });
  world.connect(world.proxy.port('l')).connection.write(hello, 0, hello.length);
  await world.until('it arrives', () => backend.accepted[0]?.handler.bytes === hello.length);
  assert.equal(world.proxy.stat('envoy_http_inspector_http_not_found'), 0);
});

test('a server that speaks first is heard when the time for looking is over', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend(({ connection }) => connection.writeLatin1('220 ready'));
  await load(
    world,
    {
      listener_filters: [tlsInspector, httpInspector],
      listener_filters_timeout: '2s',
      continue_on_listener_filters_timeout: true,
      filter_chains: [httpChain('x', { filter_chain_match: { application_protocols: ['http/1.1'] } })],
      default_filter_chain: tcpChain({ cluster: 'be' }),
    },
    { be: backend },
  );
  const client = world.connect(world.proxy.port('l'));
  await world.virtual!.advanceAsync(1900);
  assert.equal(backend.accepted.length, 0);
  assert.equal(world.proxy.stat('envoy_listener_downstream_pre_cx_active'), 1);
  await world.virtual!.advanceAsync(600);
  assert.equal(client.handler.received.toString(), '220 ready');
  assert.equal(world.proxy.stat('envoy_listener_downstream_pre_cx_timeout'), 1);
});

test('bytes that are not enough to tell go on when the time for looking is over', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(
    world,
    {
      listener_filters: [httpInspector],
      continue_on_listener_filters_timeout: true,
      filter_chains: [tcpChain({ cluster: 'be' })],
    },
    { be: backend },
  );
  const client = world.connect(world.proxy.port('l'));
  client.connection.writeLatin1('HEL');
  await world.virtual!.advanceAsync(14_900);
  assert.equal(backend.accepted.length, 0);
  await world.virtual!.advanceAsync(500);
  assert.equal(backend.accepted[0]?.handler.received.toString(), 'HEL');
  client.connection.writeLatin1('O');
  await world.virtual!.advanceAsync(100);
  assert.equal(backend.accepted[0]?.handler.received.toString(), 'HELO');
});

test('without leave to go on a silent connection is closed after 15 seconds', async (t) => {
  const world = virtualWorld(t);
  await load(world, { listener_filters: [tlsInspector], filter_chains: [httpChain('x')] });
  const client = world.connect(world.proxy.port('l'));
  await world.virtual!.advanceAsync(14_900);
  assert.equal(isOver(client), false);
  await world.virtual!.advanceAsync(500);
  assert.equal(isOver(client), true);
});

test('a client that goes before it has said what it is is counted', async (t) => {
  const world = virtualWorld(t);
  await load(world, { listener_filters: [tlsInspector], filter_chains: [httpChain('x')] });
  const client = world.connect(world.proxy.port('l'));
  await world.virtual!.advanceAsync(100);
  client.connection.end();
  await world.virtual!.advanceAsync(100);
  assert.equal(world.proxy.stat('envoy_listener_downstream_listener_filter_remote_close'), 1);
  assert.equal(world.proxy.stat('envoy_listener_downstream_pre_cx_active'), 0);
});

test('a TLS inspector is there where chains need one', async (t) => {
  const world = virtualWorld(t);
  const backend = await world.backend();
  await load(
    world,
    { filter_chains: [tcpChain({ cluster: 'be' }, { filter_chain_match: { server_names: ['a'] } })] },
    { be: backend },
  );
  const hello = clientHello({ serverName: 'a', alpn: [] });
  world.connect(world.proxy.port('l')).connection.write(hello, 0, hello.length);
  await world.until('it arrives', () => backend.accepted[0]?.handler.bytes === hello.length);
});

test('nobody waits for a client’s first bytes whose destination decides', async (t) => {
  let port = 3306;
  const world = virtualWorld(t, 1, { lookup: () => ({ host: '10.9.9.9', port }) });
  const backend = await world.backend(({ connection }) => connection.writeLatin1('hello'));
  const prefix = { address_prefix: '10.9.9.9', prefix_len: 32 };
  await load(
    world,
    {
      listener_filters: [
        { name: 'dst', typed_config: typed('filters.listener.original_dst.v3.OriginalDst') },
        httpInspector,
      ],
      filter_chains: [
        httpChain('x', {
          filter_chain_match: { transport_protocol: 'raw_buffer', application_protocols: ['http/1.1'] },
        }),
        tcpChain(
          { cluster: 'be' },
          { filter_chain_match: { destination_port: 3306, prefix_ranges: [prefix] } },
        ),
      ],
    },
    { be: backend },
  );
  const client = world.connect(world.proxy.port('l'));
  const { virtual } = world;
  const startedAt = virtual!.monotonic();
  await world.until('the server speaks', () => client.handler.received.toString() === 'hello');
  assert.ok(virtual!.monotonic() - startedAt < 1_000);
  port = 80;
  const other = world.connect(world.proxy.port('l'));
  await world.virtual!.advanceAsync(100);
  assert.equal(backend.accepted.length, 1);
  other.connection.writeLatin1(get);
  await world.until('it is answered', () => bodyOf(other) === 'x');
});

test('what was meant for another listener is handed to it', async (t) => {
  const world = virtualWorld(t, 1, { lookup: () => ({ host: '10.9.9.9', port: 80 }) });
  const originalDst = {
    name: 'dst',
    typed_config: typed('filters.listener.original_dst.v3.OriginalDst'),
  };
  const capture = (more: object): object => ({
    name: 'capture',
    address: socketAddress(world.proxyHost, 0),
    listener_filters: [originalDst],
    filter_chains: [httpChain('capture')],
    ...more,
  });
  const virtual = (host: string, port: number, body: string): object => ({
    name: `${host}:${port}`,
    address: socketAddress(host, port),
    bind_to_port: false,
    filter_chains: [httpChain(body)],
  });
  const ask = async (): Promise<string> => {
    const client = world.connect(world.proxy.port('capture'));
    client.connection.writeLatin1(get);
    await world.until('it is answered', () => bodyOf(client) !== null);
    return bodyOf(client)!;
  };
  const listeners = [virtual('10.9.9.9', 80, 'exact'), virtual('0.0.0.0', 80, 'wildcard')];
  await world.proxy.load({ listeners: [capture({ use_original_dst: true }), ...listeners] });
  assert.equal(await ask(), 'exact');
  world.proxy.remove('10.9.9.9:80');
  assert.equal(await ask(), 'wildcard');
  world.proxy.remove('0.0.0.0:80');
  assert.equal(await ask(), 'capture');
  await world.proxy.load({ listeners: [capture({}), ...listeners] });
  assert.equal(await ask(), 'capture');
});
