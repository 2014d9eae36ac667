// DNS clusters in a whole proxy, on the in-memory network.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DnsTestServer, InMemoryNetwork, SeededRandom, VirtualClock } from '@heddle/testkit';
import { defaultResolverConfiguration } from '../dns/resolver-configuration.ts';
import type { Proxy } from '../stack/proxy.ts';
import { ConfiguredProxy, socketAddress, tcpChain, typed } from '../listener/test-proxy.ts';

/** Answers one name. */
const dnsListener = {
  name: 'dns',
  address: { socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: 10_053 } },
  listener_filters: [
    {
      name: 'dns',
      typed_config: typed('filters.udp.dns_filter.v3.DnsFilterConfig', {
        stat_prefix: 'dns',
        server_config: {
          inline_dns_table: {
            virtual_domains: [{ name: 'a.test', endpoint: { address_list: { address: ['10.2.0.1'] } } }],
          },
        },
      }),
    },
  ],
};

async function setUp(t: TestContext, cluster: object, listensWhenWarm = false) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 'clusters', splitReads: false });
  const node = network.addNode({ name: 'proxy', addresses: ['10.0.0.1'] });
  const dnsNode = network.addNode({ name: 'dns', addresses: ['10.0.0.53'] });
  const dns = await DnsTestServer.start(dnsNode, dnsNode, { host: '10.0.0.53', port: 53 });
  const open = new Set<string>();
  for (const address of ['10.1.0.1', '10.1.0.2', '10.1.0.3']) {
    const backend = network.addNode({ name: address, addresses: [address] });
    // eslint-disable-next-line no-await-in-loop
    await backend.listen({ address: { host: address, port: 80 }, security: null }, (connection) => {
      connection.writeLatin1(address);
      open.add(address);
      return {
        onConnect: () => undefined,
        onData: () => undefined,
        onEnd: () => connection.end(),
        onDrain: () => undefined,
        onClose: () => open.delete(address),
      };
    });
  }
  const proxy = new ConfiguredProxy({
    transport: node,
    clock,
    random: new SeededRandom('proxy'),
    listensWhenWarm,
    dns: {
      datagrams: node,
      listens: true,
      configuration: () => ({ ...defaultResolverConfiguration, servers: [dns.address] }),
    },
  });
  t.after(() => proxy.proxy.close());
  const applied = proxy.apply({
    listeners: [
      {
        name: 'tcp',
        address: socketAddress('127.0.0.1', 10_000),
        filter_chains: [tcpChain({ cluster: 'be' })],
      },
      dnsListener,
    ],
    clusters: [
      {
        name: 'be',
        connect_timeout: '1s',
        load_assignment: {
          cluster_name: 'be',
          endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress('be.test', 80) } }] }],
        },
        ...cluster,
      },
    ],
  });
  /** Connects through the proxy: the address of the backend that answers. */
  const connect = async (): Promise<string> => {
    let received = '';
    node.connect(
      { address: { host: '127.0.0.1', port: 10_000 }, security: null, timeoutMs: 1000 },
      {
        onConnect: () => undefined,
        onData: (buffer, start, end) => {
          received += buffer.toString('latin1', start, end);
        },
        onEnd: () => undefined,
        onDrain: () => undefined,
        onClose: () => undefined,
      },
    );
    await clock.advanceAsync(100);
    return received;
  };
  return { clock, dns, network, node, proxy: proxy.proxy, applied, connect, open };
}

test('a STRICT_DNS cluster serves when its name is resolved, and follows its addresses', async (t) => {
  const { clock, dns, proxy, applied, connect } = await setUp(t, {
    type: 'STRICT_DNS',
    dns_lookup_family: 'V4_ONLY',
  });
  dns.setAddresses('be.test', ['10.1.0.1', '10.1.0.2']);
  assert.deepEqual(await applied, []);
  assert.equal(proxy.isServing, false);
  await clock.advanceAsync(100);
  assert.equal(proxy.isServing, true);
  assert.deepEqual(new Set([await connect(), await connect()]), new Set(['10.1.0.1', '10.1.0.2']));
  dns.setAddresses('be.test', ['10.1.0.3']);
  await clock.advanceAsync(5000);
  assert.equal(await connect(), '10.1.0.3');
});

test('a DNS server that is gone takes nothing with it', async (t) => {
  const { clock, dns, network, applied, connect } = await setUp(t, { type: 'STRICT_DNS' });
  dns.setAddresses('be.test', ['10.1.0.1']);
  await applied;
  await clock.advanceAsync(100);
  network.block('proxy', 'dns');
  await clock.advanceAsync(600_000);
  assert.equal(await connect(), '10.1.0.1');
});

test('a LOGICAL_DNS cluster connects to one address, and keeps connections to the one before', async (t) => {
  const { clock, dns, applied, connect, open } = await setUp(t, { type: 'LOGICAL_DNS' });
  dns.setAddresses('be.test', ['10.1.0.1', '10.1.0.2']);
  await applied;
  await clock.advanceAsync(100);
  const first = await connect();
  assert.equal(await connect(), first);
  dns.setAddresses('be.test', ['10.1.0.3']);
  await clock.advanceAsync(6000);
  assert.equal(await connect(), '10.1.0.3');
  assert.deepEqual(open, new Set([first, '10.1.0.3']));
});

/** What listens at this moment. */
function listening({ listeners, datagramListeners }: Proxy): string[] {
  return [...listeners.listeners.map(({ name }) => name), ...datagramListeners.keys()];
}

test('listeners of a file are bound once its clusters are warm: when each name has been asked for', async (t) => {
  const { clock, dns, network, proxy, connect } = await setUp(t, { type: 'STRICT_DNS' }, true);
  dns.setAddresses('be.test', ['10.1.0.1']);
  network.block('proxy', 'dns');
  await clock.advanceAsync(1000);
  assert.deepEqual(listening(proxy), []);
  assert.equal(await connect(), '');
  assert.equal(proxy.isServing, false);
  network.unblock('proxy', 'dns');
  await clock.advanceAsync(10_000);
  assert.deepEqual(listening(proxy), ['tcp', 'dns']);
  assert.equal(await connect(), '10.1.0.1');
  assert.equal(proxy.isServing, true);
});

test('a name that nobody knows keeps listeners waiting no longer than it takes to ask for it', async (t) => {
  const { clock, proxy } = await setUp(t, { type: 'LOGICAL_DNS' }, true);
  await clock.advanceAsync(100);
  assert.deepEqual(listening(proxy), ['tcp', 'dns']);
});

test('a cluster that is not to be waited for keeps no listener waiting', async (t) => {
  const { clock, network, proxy } = await setUp(
    t,
    { type: 'STRICT_DNS', wait_for_warm_on_init: false },
    true,
  );
  network.block('proxy', 'dns');
  await clock.advanceAsync(10);
  assert.deepEqual(listening(proxy), ['tcp', 'dns']);
});

test('a proxy that is closed while it waits binds nothing afterwards', async (t) => {
  const { clock, network, proxy } = await setUp(t, { type: 'STRICT_DNS' }, true);
  network.block('proxy', 'dns');
  await clock.advanceAsync(100);
  await proxy.close();
  network.unblock('proxy', 'dns');
  await clock.advanceAsync(60_000);
  assert.deepEqual(listening(proxy), []);
});
