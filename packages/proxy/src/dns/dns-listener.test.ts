// A DNS listener in a whole proxy: Envoy's DNS filter as configuration, a real DNS server behind it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formatPrometheus } from '@heddle/telemetry';
import { DnsTestServer, InMemoryNetwork, SeededRandom, VirtualClock, addressRecord } from '@heddle/testkit';
import { ConfiguredProxy, socketAddress } from '../listener/test-proxy.ts';
import { FrameReader, frameMessage } from './stream-framing.ts';
import { type DnsMessage, RecordType } from './dns-message.ts';
import { readMessage } from './read-message.ts';
import { type ResolverConfiguration, defaultResolverConfiguration } from './resolver-configuration.ts';
import { writeMessage } from './write-message.ts';

const listenAddress = { host: '127.0.0.1', port: 15_053 };

const query: DnsMessage = {
  id: 77,
  isResponse: false,
  opcode: 0,
  isAuthoritative: false,
  isTruncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  responseCode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
  ednsPayloadBytes: null,
};

function filter(domains: Readonly<Record<string, readonly string[]>>, client: object = {}): object {
  return {
    name: 'envoy.filters.udp.dns_filter',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig',
      stat_prefix: 'dns',
      server_config: {
        inline_dns_table: {
          virtual_domains: Object.entries(domains).map(([name, address]) => ({
            name,
            endpoint: { address_list: { address } },
            answer_ttl: '30s',
          })),
        },
      },
      client_config: { max_pending_lookups: 2, ...client },
    },
  };
}

function listener(domains: Readonly<Record<string, readonly string[]>>, changes: object = {}): object {
  return {
    name: 'dns',
    address: {
      socket_address: { protocol: 'UDP', address: listenAddress.host, port_value: listenAddress.port },
    },
    listener_filters: [filter(domains)],
    ...changes,
  };
}

async function setUp(t: TestContext, configuration: Partial<ResolverConfiguration> = {}) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 'listener' });
  const node = network.addNode({ name: 'proxy', addresses: ['10.0.0.1'] });
  const dnsNode = network.addNode({ name: 'dns', addresses: ['10.0.0.53'] });
  const upstream = await DnsTestServer.start(dnsNode, dnsNode, { host: '10.0.0.53', port: 53 });
  const proxy = new ConfiguredProxy({
    transport: node,
    clock,
    random: new SeededRandom('proxy'),
    dns: {
      datagrams: node,
      listens: true,
      configuration: () => ({
        ...defaultResolverConfiguration,
        servers: [upstream.address],
        ...configuration,
      }),
    },
  });
  t.after(() => proxy.proxy.close());
  /** Sends bytes to the listener and gives what comes back, if anything does. */
  const exchange = async (bytes: Buffer, waitMs = 200): Promise<Buffer[]> => {
    const received: Buffer[] = [];
    const socket = await node.openDatagrams(
      { local: { host: '127.0.0.1', port: 0 }, peer: listenAddress },
      { onDatagram: (answer) => received.push(answer), onError: () => undefined },
    );
    socket.send(bytes, listenAddress);
    await clock.advanceAsync(waitMs);
    socket.close();
    return received;
  };
  const ask = async (
    name: string,
    type: number = RecordType.a,
    changes: Partial<DnsMessage> = {},
  ): Promise<string> => {
    const question = { name, type, class: 1 };
    const [answer] = await exchange(writeMessage({ ...query, questions: [question], ...changes }));
    return answer === undefined ? 'nothing' : describe(answer);
  };
  return { clock, node, upstream, proxy, exchange, ask };
}

function describe(bytes: Buffer): string {
  const result = readMessage(bytes);
  if (!result.ok) return result.error;
  const { id, responseCode, isAuthoritative, isTruncated, answers } = result.value;
  const texts = answers.map(
    ({ data, ttlSeconds }) => `${data.kind === 'address' ? data.address : data.kind}/${ttlSeconds}`,
  );
  return [
    `id ${id} code ${responseCode}`,
    ...(isAuthoritative ? ['own'] : []),
    ...(isTruncated ? ['truncated'] : []),
    ...texts,
  ].join(' ');
}

const table = {
  reviews: ['240.240.0.1', '2001:2::1'],
  'v4.test': ['240.240.0.2'],
  '*.wild.test': ['240.240.0.3'],
  '*.deep.wild.test': ['240.240.0.4'],
};

test('names of the table are answered here, with both families', async (t) => {
  const { proxy, upstream, ask } = await setUp(t);
  assert.deepEqual(await proxy.apply({ listeners: [listener(table)] }), []);
  assert.equal(await ask('reviews'), 'id 77 code 0 own 240.240.0.1/30');
  assert.equal(await ask('reviews', RecordType.aaaa), 'id 77 code 0 own 2001:2::1/30');
  assert.equal(await ask('a.b.wild.test'), 'id 77 code 0 own 240.240.0.3/30');
  assert.equal(await ask('a.deep.wild.test'), 'id 77 code 0 own 240.240.0.4/30');
  assert.deepEqual(upstream.asked, []);
  const text = formatPrometheus(proxy.proxy.registry.collect());
  assert.match(text, /^envoy_dns_filter_known_domain_queries\{envoy_dns_filter_prefix="dns"\} 4$/m);
  assert.match(text, /^envoy_dns_filter_local_a_record_answers\{envoy_dns_filter_prefix="dns"\} 3$/m);
});

test('a name of the table without an address of the family exists all the same', async (t) => {
  const { proxy, upstream, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  assert.equal(await ask('v4.test', RecordType.aaaa), 'id 77 code 0 own');
  assert.equal(await ask('reviews', 65), 'id 77 code 0 own');
  assert.deepEqual(upstream.asked, []);
});

test('all else is passed on, errors too', async (t) => {
  const { proxy, upstream, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  upstream.setAddresses('example.test', ['192.0.2.1'], 120);
  upstream.zone.set('wild.test 1', { responseCode: 2 });
  assert.equal(await ask('example.test'), 'id 77 code 0 192.0.2.1/120');
  assert.equal(await ask('nowhere.test'), 'id 77 code 3');
  assert.equal(await ask('wild.test'), 'id 77 code 2');
  assert.equal(upstream.asked[0], 'udp example.test 1');
});

test('the name comes back as it was asked', async (t) => {
  const { proxy, exchange } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  const bytes = writeMessage({ ...query, questions: [{ name: 'reviews', type: RecordType.a, class: 1 }] });
  bytes.write('ReViEwS', 13);
  const [answer] = await exchange(bytes);
  assert.equal(answer!.toString('latin1', 13, 20), 'ReViEwS');
  assert.equal(describe(answer!), 'id 77 code 0 own 240.240.0.1/30');
});

test('what does not fit the client’s datagram says so, and comes by TCP', async (t) => {
  const { clock, node, proxy, ask } = await setUp(t);
  const addresses = Array.from({ length: 60 }, (_, index) => `240.240.1.${index}`);
  await proxy.apply({ listeners: [listener({ 'big.test': addresses })] });
  assert.equal(await ask('big.test'), 'id 77 code 0 own truncated');
  const large = await ask('big.test', RecordType.a, { ednsPayloadBytes: 4096 });
  assert.equal(large.split(' ').length, 5 + 60);
  const reader = new FrameReader();
  const received: string[] = [];
  let closed = false;
  const connection = node.connect(
    { address: listenAddress, security: null, timeoutMs: 1000 },
    {
      onConnect: () => {
        const question = { name: 'big.test', type: RecordType.a, class: 1 };
        const frame = frameMessage(writeMessage({ ...query, questions: [question] }));
        connection.write(Buffer.concat([frame, frame]), 0, frame.length * 2);
      },
      onData: (buffer, start, end) => received.push(...reader.push(buffer, start, end).map(describe)),
      onEnd: () => connection.end(),
      onDrain: () => undefined,
      onClose: () => {
        closed = true;
      },
    },
  );
  await clock.advanceAsync(1000);
  assert.deepEqual(
    received.map((text) => text.split(' ').length),
    [65, 65],
  );
  await clock.advanceAsync(11_000);
  assert.equal(closed, true);
});

test('addresses take turns at being the first', async (t) => {
  const { proxy, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener({ two: ['240.240.0.1', '240.240.0.2'] })] });
  const firsts = new Set<string | undefined>();
  for (let i = 0; i < 20; i++) {
    // eslint-disable-next-line no-await-in-loop
    firsts.add((await ask('two')).split(' ')[5]);
  }
  assert.deepEqual(firsts, new Set(['240.240.0.1/30', '240.240.0.2/30']));
});

test('what is no query gets no answer, or the one that says so', async (t) => {
  const { proxy, exchange, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  assert.deepEqual(await exchange(Buffer.from('short')), []);
  assert.deepEqual(await exchange(Buffer.alloc(12, 0xff)), []);
  assert.equal(await ask('reviews', 1, { isResponse: true }), 'nothing');
  const cut = writeMessage({ ...query, questions: [{ name: 'reviews', type: 1, class: 1 }] }).subarray(0, 16);
  assert.deepEqual((await exchange(cut)).map(describe), ['id 77 code 1']);
  assert.equal(await ask('reviews', 1, { opcode: 5 }), 'id 77 code 4');
  const two = [
    { name: 'reviews', type: 1, class: 1 },
    { name: 'reviews', type: 28, class: 1 },
  ];
  assert.equal(await ask('reviews', 1, { questions: two }), 'id 77 code 1');
});

test('more names than may be asked for elsewhere at a time get an error', async (t) => {
  const { clock, proxy, upstream, ask } = await setUp(t, { timeoutMs: 1000, attempts: 1 });
  await proxy.apply({ listeners: [listener(table)] });
  for (const name of ['a.test', 'b.test', 'c.test']) upstream.zone.set(`${name} 1`, { isSilent: true });
  const answers = ['a.test', 'b.test', 'c.test'].map((name) => ask(name));
  await clock.advanceAsync(100);
  assert.deepEqual(await Promise.all(answers), ['nothing', 'nothing', 'id 77 code 2']);
  await clock.advanceAsync(5000);
  upstream.setAddresses('d.test', ['192.0.2.4']);
  assert.equal(await ask('d.test'), 'id 77 code 0 192.0.2.4/60');
});

test('a resolv.conf that names the listener itself leads nowhere, not round and round', async (t) => {
  const { proxy, upstream, ask } = await setUp(t, { servers: [listenAddress] });
  await proxy.apply({ listeners: [listener(table)] });
  assert.equal(await ask('example.test'), 'id 77 code 2');
  assert.deepEqual(upstream.asked, []);
});

test('a query that comes back by another way is known again', async (t) => {
  const { node, proxy, ask } = await setUp(t, { servers: [{ host: '127.0.0.1', port: 53 }] });
  await proxy.apply({ listeners: [listener(table)] });
  // Port 53 leads to the listener, as rules of interception would make it.
  let queries = 0;
  const relay = await node.openDatagrams(
    { local: { host: '127.0.0.1', port: 53 }, peer: null },
    {
      onDatagram: (bytes, from) => {
        queries++;
        void node
          .openDatagrams(
            { local: { host: '127.0.0.1', port: 0 }, peer: listenAddress },
            { onDatagram: (answer) => relay.send(answer, from), onError: () => undefined },
          )
          .then((socket) => socket.send(bytes, listenAddress));
      },
      onError: () => undefined,
    },
  );
  assert.equal(await ask('example.test'), 'id 77 code 2');
  assert.equal(queries, 2);
  relay.close();
});

test('a change of the table needs no new socket, a change of the address does', async (t) => {
  const { clock, proxy, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  const renewed = proxy.apply({ listeners: [listener({ reviews: ['240.240.9.9'] })] });
  await clock.advanceAsync(1);
  assert.deepEqual(await renewed, []);
  assert.equal(await ask('reviews'), 'id 77 code 0 own 240.240.9.9/30');
  const moved = socketAddress('127.0.0.1', 15_054) as { socket_address: object };
  const address = { socket_address: { ...moved.socket_address, protocol: 'UDP' } };
  await proxy.apply({ listeners: [listener(table, { address })] });
  await clock.advanceAsync(1);
  assert.equal(await ask('reviews'), 'nothing');
});

const refusals: readonly [string, object][] = [
  ['listener_filters: must hold a DNS filter', { listener_filters: [] }],
  [
    'listener_filters[0].typed_config.server_config.inline_dns_table.virtual_domains[0].endpoint.address_list.address[0]: "x" is no IP address',
    { listener_filters: [filter({ a: ['x'] })] },
  ],
  [
    'listener_filters[0].typed_config.server_config.inline_dns_table.virtual_domains[0].name: "a..b" is no host name',
    { listener_filters: [filter({ 'a..b': ['10.0.0.1'] })] },
  ],
  [
    'listener_filters[0].typed_config.server_config.inline_dns_table.virtual_domains[1].name: there is another one with the name a',
    { listener_filters: [filter({ a: ['10.0.0.1'], 'A.': ['10.0.0.1'] })] },
  ],
  ['filter_chains: do not go with UDP', { filter_chains: [{}] }],
];
for (const [problem, changes] of refusals) {
  test(`refuses ${problem}`, async (t) => {
    const { proxy } = await setUp(t);
    const problems = await proxy.apply({ listeners: [listener(table, changes)] });
    assert.equal(problems.length, 1, String(problems));
    assert.ok(problems[0]!.includes(problem), String(problems));
  });
}

test('a record that the table does not hold is asked for elsewhere with its own type', async (t) => {
  const { proxy, upstream, ask } = await setUp(t);
  await proxy.apply({ listeners: [listener(table)] });
  upstream.zone.set('example.test 28', { answers: [addressRecord('example.test', '2001:db8::1')] });
  assert.equal(await ask('example.test', RecordType.aaaa), 'id 77 code 0 2001:db8::1/60');
});
