import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import {
  DnsTestServer,
  InMemoryNetwork,
  SeededRandom,
  VirtualClock,
  addressRecord,
  aliasRecord,
} from '@heddle/testkit';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import { openTransport } from '../transport/open-transport.ts';
import { DnsClient } from './dns-client.ts';
import { DnsNameResolver, type LookupFamily, type Resolution } from './name-resolver.ts';
import { type ResolverConfiguration, defaultResolverConfiguration } from './resolver-configuration.ts';

const nodeDatagrams = new NodeDatagrams();

async function setUp(changes: Partial<ResolverConfiguration> = {}) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 'dns' });
  const node = network.addNode({ name: 'proxy', addresses: ['10.0.0.1'] });
  const first = network.addNode({ name: 'dns-1', addresses: ['10.0.0.53'] });
  const second = network.addNode({ name: 'dns-2', addresses: ['10.0.0.54'] });
  const server = await DnsTestServer.start(first, first, { host: '10.0.0.53', port: 53 });
  const other = await DnsTestServer.start(second, second, { host: '10.0.0.54', port: 53 });
  const client = new DnsClient({
    transport: node,
    datagrams: node,
    clock: node.clock,
    random: new SeededRandom('ids'),
  });
  const resolver = new DnsNameResolver(client, () => ({
    ...defaultResolverConfiguration,
    servers: [server.address, other.address],
    ...changes,
  }));
  const resolve = async (name: string, family: LookupFamily = 'v4-only'): Promise<string> => {
    let outcome: Resolution | null = null;
    void resolver.resolve(name, family).then((resolution) => {
      outcome = resolution;
    });
    await clock.runUntilIdleAsync();
    return outcome === null ? 'nothing' : describe(outcome);
  };
  return { clock, network, client, server, other, resolve };
}

function describe(resolution: Resolution): string {
  if (resolution.kind === 'found') return `${resolution.addresses.join()} ${resolution.ttlMs}`;
  return resolution.kind === 'failed' ? resolution.detail : 'not found';
}

test('a name has the addresses of its records, for as long as the shortest of them holds', async () => {
  const { server, resolve } = await setUp();
  server.zone.set('a.test 1', {
    answers: [addressRecord('a.test', '10.1.0.1', 30), addressRecord('a.test', '10.1.0.2', 20)],
  });
  assert.equal(await resolve('A.test'), '10.1.0.1,10.1.0.2 20000');
  assert.deepEqual(server.asked, ['udp a.test 1']);
});

test('aliases are followed within the answer, and not for ever', async () => {
  const { server, resolve } = await setUp();
  server.zone.set('a.test 1', {
    answers: [
      addressRecord('unasked.test', '10.6.6.6'),
      aliasRecord('b.test', 'c.test', 5),
      aliasRecord('a.test', 'b.test'),
      addressRecord('c.test', '10.1.0.1'),
    ],
  });
  server.zone.set('loop.test 1', { answers: [aliasRecord('loop.test', 'loop.test')] });
  assert.equal(await resolve('a.test'), '10.1.0.1 5000');
  assert.equal(await resolve('loop.test'), 'not found');
});

test('families are asked for in their order', async () => {
  const { server, resolve } = await setUp();
  server.setAddresses('both.test', ['10.1.0.1', '2001:db8::1']);
  server.setAddresses('four.test', ['10.1.0.4']);
  server.setAddresses('six.test', ['2001:db8::6']);
  const all = async (name: string): Promise<string[]> => {
    const results: string[] = [];
    for (const family of ['auto', 'v4-only', 'v6-only', 'v4-preferred', 'all'] as const) {
      // eslint-disable-next-line no-await-in-loop
      results.push((await resolve(name, family)).replace(' 60000', ''));
    }
    return results;
  };
  assert.deepEqual(await all('both.test'), [
    '2001:db8::1',
    '10.1.0.1',
    '2001:db8::1',
    '10.1.0.1',
    '10.1.0.1,2001:db8::1',
  ]);
  assert.deepEqual(await all('four.test'), ['10.1.0.4', '10.1.0.4', 'not found', '10.1.0.4', '10.1.0.4']);
  assert.deepEqual(await all('six.test'), [
    '2001:db8::6',
    'not found',
    '2001:db8::6',
    '2001:db8::6',
    '2001:db8::6',
  ]);
});

test('search domains come before a name with few dots and after one with many', async () => {
  const { server, resolve } = await setUp({ search: ['default.svc', 'svc'], minDots: 2 });
  server.setAddresses('reviews.default.svc', ['10.1.0.1']);
  assert.equal(await resolve('reviews'), '10.1.0.1 60000');
  assert.deepEqual(server.asked.splice(0), ['udp reviews.default.svc 1']);
  assert.equal(await resolve('reviews.default'), '10.1.0.1 60000');
  assert.equal(await resolve('a.b.c'), 'not found');
  assert.deepEqual(server.asked.splice(0).slice(-3), [
    'udp a.b.c 1',
    'udp a.b.c.default.svc 1',
    'udp a.b.c.svc 1',
  ]);
  assert.equal(await resolve('reviews.'), 'not found');
  assert.deepEqual(server.asked, ['udp reviews 1']);
});

test('the hosts file and localhost ask nobody', async () => {
  const { server, resolve } = await setUp({ hosts: new Map([['db', ['10.9.9.9', '2001:db8::9']]]) });
  assert.equal(await resolve('DB', 'all'), '10.9.9.9,2001:db8::9 null');
  assert.equal(await resolve('db', 'auto'), '2001:db8::9 null');
  assert.equal(await resolve('localhost'), '127.0.0.1 null');
  assert.equal(await resolve('10.2.3.4'), '10.2.3.4 null');
  assert.deepEqual(server.asked, []);
});

test('the next server is asked where one fails, refuses or says nothing', async () => {
  const { network, server, other, resolve } = await setUp({ timeoutMs: 1000 });
  for (const name of ['fails.test', 'refuses.test', 'silent.test', 'away.test']) {
    other.setAddresses(name, ['10.1.0.1']);
  }
  server.zone.set('fails.test 1', { responseCode: 2 });
  server.zone.set('refuses.test 1', { responseCode: 5 });
  server.zone.set('silent.test 1', { isSilent: true });
  for (const name of ['fails.test', 'refuses.test', 'silent.test']) {
    // eslint-disable-next-line no-await-in-loop
    assert.equal(await resolve(name), '10.1.0.1 60000');
  }
  network.block('proxy', 'dns-1');
  assert.equal(await resolve('away.test'), '10.1.0.1 60000');
});

test('where no server knows, the reason is that of the last one', async () => {
  const { network, resolve } = await setUp({ timeoutMs: 1000 });
  network.block('proxy', 'dns-1');
  network.block('proxy', 'dns-2');
  assert.equal(await resolve('a.test'), '10.0.0.54 did not answer within 1000 ms');
});

test('an answer that does not fit a datagram is fetched by TCP', async () => {
  const { server, resolve } = await setUp();
  const answers = Array.from({ length: 200 }, (_, index) => addressRecord('big.test', `10.1.0.${index}`));
  server.zone.set('big.test 1', { needsTcp: true, answers });
  assert.equal((await resolve('big.test')).split(',').length, 200);
  assert.deepEqual(server.asked, ['udp big.test 1', 'tcp big.test 1']);
});

const forgeries: readonly [string, (bytes: Buffer) => void][] = [
  ['another id', (bytes) => void bytes.writeUInt16BE(bytes.readUInt16BE(0) ^ 1, 0)],
  ['another question', (bytes) => void bytes.write('b', 13)],
  ['another type asked', (bytes) => void bytes.writeUInt16BE(28, 20)],
  ['no response', (bytes) => void bytes.writeUInt16BE(0x0100, 2)],
  ['bytes that are no message', (bytes) => void bytes.writeUInt16BE(9, 6)],
];
for (const [what, forge] of forgeries) {
  test(`an answer with ${what} is ignored, and the right one still taken`, async () => {
    const { server, resolve } = await setUp();
    server.zone.set('a.test 1', {
      answers: [addressRecord('a.test', '10.1.0.1')],
      before: (answer) => {
        const bytes = Buffer.from(answer);
        // Another address, so that whoever takes it is found out.
        bytes[bytes.length - 1] = 66;
        forge(bytes);
        return bytes;
      },
    });
    assert.equal(await resolve('a.test'), '10.1.0.1 60000');
  });
}

test('ids differ from question to question', async () => {
  const { server, resolve } = await setUp();
  const ids = new Set<number>();
  server.zone.set('a.test 1', { forge: (bytes) => void ids.add(bytes.readUInt16BE(0)) });
  for (let i = 0; i < 20; i++) {
    // eslint-disable-next-line no-await-in-loop
    await resolve('a.test');
  }
  assert.ok(ids.size > 15);
});

test('closing ends what is under way', async () => {
  const { clock, client, network, server } = await setUp();
  network.block('proxy', 'dns-1');
  const reply = client.query(
    { name: 'a.test', type: 1, class: 1 },
    { ...defaultResolverConfiguration, servers: [server.address] },
  );
  await clock.advanceAsync(10);
  client.close();
  assert.deepEqual(await reply, { ok: false, detail: 'the resolver was closed' });
  assert.equal(clock.pendingTimers, 0);
});

test('resolves over real sockets, a large answer by TCP', async (t) => {
  const transport = openTransport(systemClock, silentLogger);
  const server = await DnsTestServer.start(nodeDatagrams, transport, { host: '127.0.0.1', port: 0 });
  const client = new DnsClient({
    transport,
    datagrams: nodeDatagrams,
    clock: systemClock,
    random: systemRandom,
  });
  t.after(() => server.close());
  server.setAddresses('a.test', ['10.1.0.1']);
  const answers = Array.from({ length: 200 }, (_, index) => addressRecord('big.test', `10.1.0.${index}`));
  server.zone.set('big.test 1', { needsTcp: true, answers });
  const resolver = new DnsNameResolver(client, () => ({
    ...defaultResolverConfiguration,
    servers: [server.address],
  }));
  assert.equal(describe(await resolver.resolve('a.test', 'v4-only')), '10.1.0.1 60000');
  const big = await resolver.resolve('big.test', 'v4-only');
  assert.equal(big.kind === 'found' && big.addresses.length, 200);
});
