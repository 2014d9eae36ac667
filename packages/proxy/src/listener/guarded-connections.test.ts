// Network policies: who may stay, before anything is read or any upstream hears of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { temporaryDirectory } from '@heddle/testkit';
import { httpChain, socketAddress, staticCluster, tcpChain, typed } from './test-proxy.ts';
import { type End, type World, socketWorld, worlds } from './test-worlds.ts';

interface Chain {
  readonly filters: readonly object[];
}

const any = { any: true };

/** `chain` behind a network RBAC filter. */
function guarded(chain: object, config: object): object {
  const filter = {
    name: 'envoy.filters.network.rbac',
    typed_config: typed('filters.network.rbac.v3.RBAC', { stat_prefix: 'np', ...config }),
  };
  return { ...chain, filters: [filter, ...(chain as Chain).filters] };
}

function listener(world: World, chain: object, more: object = {}): object {
  return { name: 'l', address: socketAddress(world.proxyHost, 0), filter_chains: [chain], ...more };
}

const from = (prefix: string): object => ({
  permissions: [any],
  principals: [{ direct_remote_ip: { address_prefix: prefix, prefix_len: 8 } }],
});
/** Its peer will send no more, whether by an end or a reset. */
function isCutOff({ handler }: End): boolean {
  return handler.ends + handler.closes > 0;
}

const denyAll = {
  rules: { action: 'DENY', policies: { 'deny all': { permissions: [any], principals: [any] } } },
};

for (const [name, makeWorld] of worlds) {
  describe(`network policies, ${name}`, () => {
    test('close who is denied at once, without a connection to the upstream', async (t) => {
      const world = makeWorld(t);
      const backend = await world.backend();
      await world.proxy.load({
        listeners: [listener(world, guarded(tcpChain({ cluster: 'be' }), denyAll))],
        clusters: [staticCluster('be', world.serverHost, [backend.port])],
      });
      const client = world.connect(world.proxy.port('l'));
      await world.until('the client is cut off', () => isCutOff(client));
      assert.equal(backend.accepted.length, 0);
      assert.equal(world.proxy.stat('envoy_rbac_denied'), 1);
      assert.equal(world.proxy.stat('envoy_tcp_downstream_cx_total'), 1);
      assert.equal(world.proxy.stat('envoy_listener_downstream_cx_total'), 1);
      assert.equal(world.proxy.stat('envoy_listener_downstream_cx_active'), 0);
    });

    test('let others pass, and try out what is to come', async (t) => {
      const world = makeWorld(t);
      const backend = await world.backend();
      const rules = { policies: { 'by address': from(world.proxyHost) } };
      await world.proxy.load({
        listeners: [
          listener(
            world,
            guarded(tcpChain({ cluster: 'be' }), {
              rules,
              shadow_rules: denyAll.rules,
              shadow_rules_stat_prefix: 'dry',
            }),
          ),
        ],
        clusters: [staticCluster('be', world.serverHost, [backend.port])],
      });
      const client = world.connect(world.proxy.port('l'));
      await world.until('the backend has accepted', () => backend.accepted.length === 1);
      client.connection.destroy();
      assert.equal(world.proxy.stat('envoy_rbac_allowed'), 1);
      assert.equal(world.proxy.stat('envoy_rbac_shadow_denied'), 1);
    });
  });
}

test('a policy that changes decides about connections that are there, too: they are drained', async (t) => {
  const world = socketWorld(t);
  await world.proxy.load({
    listeners: [listener(world, guarded(httpChain('one'), { rules: { action: 'DENY' } }))],
  });
  const port = world.proxy.port('l');
  const client = world.connect(port);
  client.connection.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await world.until('an answer', () => client.handler.received.toString().endsWith('one'));
  await world.proxy.load({ listeners: [listener(world, guarded(httpChain('one'), denyAll))] });
  await world.until('the idle connection is closed', () => isCutOff(client));
  const next = world.connect(world.proxy.port('l'));
  await world.until('the next one is refused', () => isCutOff(next));
});

test('access logs tell why', async (t) => {
  const world = socketWorld(t);
  const directory = await temporaryDirectory();
  t.after(() => directory[Symbol.asyncDispose]());
  const log = (file: string): object => ({
    name: 'log',
    typed_config: typed('access_loggers.file.v3.FileAccessLog', {
      path: join(directory.path, file),
      log_format: { text_format_source: { inline_string: '%CONNECTION_TERMINATION_DETAILS%\n' } },
    }),
  });
  const chain = guarded(tcpChain({ cluster: 'be', access_log: [log('tcp')] }), denyAll);
  await world.proxy.load({
    listeners: [listener(world, chain, { access_log: [log('listener')] })],
    clusters: [staticCluster('be', world.serverHost, [1])],
  });
  const client = world.connect(world.proxy.port('l'));
  await world.until('the client is cut off', () => isCutOff(client));
  await world.until(
    'the connection is counted',
    () => world.proxy.stat('envoy_listener_downstream_cx_active') === 0,
  );
  await world.proxy.close();
  for (const file of ['tcp', 'listener']) {
    assert.equal(
      readFileSync(join(directory.path, file), 'utf8'),
      'rbac_access_denied_matched_policy[deny_all]\n',
      file,
    );
  }
});

test('the peer’s certificate and the server name decide', async (t) => {
  const root = makeRoot('cluster.local');
  const leaf = (name: string) => makeLeaf(root, `spiffe://cluster.local/ns/default/sa/${name}`);
  const own = leaf('server');
  const transportSocket = {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: { inline_string: own.pem }, private_key: { inline_string: own.keyPem } },
        ],
        validation_context: { trusted_ca: { inline_string: root.pem } },
      },
    }),
  };
  const world = socketWorld(t);
  const chain = guarded(httpChain('served', { transport_socket: transportSocket }), {
    rules: {
      policies: {
        client: {
          permissions: [{ requested_server_name: { exact: 'a.example' } }],
          principals: [
            { authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/default/sa/client' } } },
          ],
        },
      },
    },
  });
  await world.proxy.load({ listeners: [listener(world, chain)] });
  const ask = async (name: string | null, servername: string): Promise<string> => {
    const client = name === null ? {} : ((shown) => ({ cert: shown.pem, key: shown.keyPem }))(leaf(name));
    const socket = connect({
      port: world.proxy.port('l'),
      host: '127.0.0.1',
      servername,
      ca: root.pem,
      checkServerIdentity: () => undefined,
      ...client,
    });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await once(socket, 'close');
    return text.slice(text.lastIndexOf('\n') + 1);
  };
  assert.equal(await ask('client', 'a.example'), 'served');
  assert.equal(await ask('client', 'b.example'), '');
  assert.equal(await ask('other', 'a.example'), '');
  assert.equal(await ask(null, 'a.example'), '');
});

test('a filter that only decides cannot end a chain, nor follow what does', async (t) => {
  const world = socketWorld(t);
  const place = 'static_resources.listeners[0].filter_chains[0].filters';
  const [only] = (guarded(httpChain('x'), denyAll) as Chain).filters;
  assert.deepEqual(await world.proxy.apply({ listeners: [listener(world, { filters: [only] })] }), [
    `${place}: needs a last filter that serves`,
  ]);
  const [manager] = (httpChain('x') as Chain).filters;
  assert.deepEqual(await world.proxy.apply({ listeners: [listener(world, { filters: [manager, only] })] }), [
    `${place}[1]: nothing can follow what ends a chain already`,
  ]);
});

test('policies on connections may not ask for requests', async (t) => {
  const world = socketWorld(t);
  const rules = {
    policies: {
      p: {
        permissions: [{ not_rule: { header: { name: 'x' } } }],
        principals: [{ url_path: { path: { exact: '/' } } }],
      },
    },
  };
  const place = 'static_resources.listeners[0].filter_chains[0].filters[0].typed_config.rules.policies[p]';
  assert.deepEqual(
    await world.proxy.apply({
      listeners: [listener(world, guarded(httpChain('x'), { rules, stat_prefix: '' }))],
    }),
    [
      'static_resources.listeners[0].filter_chains[0].filters[0].typed_config.stat_prefix: must not be empty',
      `${place}.permissions[0].not_rule.header: a connection has no request to look at`,
      `${place}.principals[0].url_path: a connection has no request to look at`,
    ],
  );
});
