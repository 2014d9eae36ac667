import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import { systemDns } from '../dns/system-dns.ts';
import { readBootstrap } from '../bootstrap/bootstrap.ts';
import { ask, clusterTo, listenerTo, startBackend } from '../bootstrap/static-proxy-harness.ts';
import { openTransport } from '../transport/open-transport.ts';
import { Loggers } from './loggers.ts';
import { defaultDrain, Proxy } from './proxy.ts';

test('changes of listeners, routes, clusters and endpoints under load drop neither a request nor a connection', async (t) => {
  const backends = await Promise.all(
    ['a', 'b'].map(async (name) => await startBackend((_request, response) => response.end(name))),
  );
  const loggers = new Loggers('off');
  const proxy = new Proxy({
    transport: openTransport(systemClock, loggers.get('connection')),
    clock: systemClock,
    random: systemRandom,
    loggers,
    drain: defaultDrain,
    dns: systemDns(systemClock, new NodeDatagrams(), false),
    secrets: { certificate: () => null, trustBundle: () => null },
    workload: null,
    subscriber: { subscribe: () => undefined, unsubscribe: () => undefined },
    onTrustBundleChanged: () => undefined,
    onListenFailed: (error) => assert.fail(String(error)),
    onCommitted: () => undefined,
  });
  const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(async () => {
    for (const agent of agents) agent.destroy();
    await proxy.close();
    for (const { server } of backends) server.close();
  });
  /** Every round says something else of everything that can change while it is in use. */
  const apply = (round: number): void => {
    const cluster = {
      ...clusterTo('be', backends[round % 2]!.port),
      connect_timeout: `${5 + ((round >> 1) % 2)}s`,
    };
    const listener = listenerTo(
      'web',
      'be',
      {},
      { server_name: `server-${round}`, stat_prefix: `web-${round % 3}` },
    );
    const config = readBootstrap({
      file: 'x',
      value: { static_resources: { listeners: [listener], clusters: [cluster] } },
      locate: () => null,
    });
    assert.ok(config.ok);
    for (const { typeUrl, name, bytes } of config.value.resources) {
      assert.deepEqual(proxy.config.applyResource(typeUrl, name, bytes), []);
    }
    proxy.config.commit(TypeUrl.listener);
  };
  apply(0);
  while (proxy.listeners.listeners.length === 0) await new Promise(setImmediate);
  const { host, port } = proxy.listeners.listeners[0]!;
  const answers = new Set<string>();
  const servers = new Set<string>();
  const done = new AbortController();
  const clients = agents.map(async (agent) => {
    while (!done.signal.aborted) {
      const { status, headers, body } = await ask(`${host}:${port}`, '/', { agent, method: 'POST' });
      answers.add(`${status} ${body} ${headers.connection ?? 'kept'}`);
      servers.add(String(headers['server']));
    }
  });
  for (let round = 1; round <= 60; round++) {
    apply(round);
    await ask(`${host}:${port}`, '/', { method: 'POST' });
  }
  done.abort();
  await Promise.all(clients);
  assert.deepEqual([...answers].toSorted(), ['200 a kept', '200 b kept']);
  assert.ok(servers.size > 20, `the changes took effect: ${servers.size}`);
  assert.equal(proxy.listeners.connections, agents.length, 'the connections are those from the beginning');
});
