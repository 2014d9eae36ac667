import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { eventually, temporaryDirectory } from '@heddle/testkit';
import {
  ask,
  clusterTo,
  listenerTo,
  loopback,
  startBackend,
  startStaticProxy,
} from '../bootstrap/static-proxy-harness.ts';
import { openEngine } from '../transport/sys/sys-transport.ts';
import type { StaticProxy, StaticProxyOptions } from '../bootstrap/static-proxy.ts';

const concurrency = 3;

async function startThreads(
  t: TestContext,
  accessLog: readonly object[] = [],
  options: Partial<StaticProxyOptions> = {},
): Promise<StaticProxy> {
  const { server, port } = await startBackend((_request, response) => response.end('hello'));
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      static_resources: {
        listeners: [listenerTo('web', 'be', {}, { access_log: accessLog })],
        clusters: [clusterTo('be', port)],
      },
    },
    { concurrency, ...options },
  );
  t.after(async () => {
    await proxy.close();
    server.close();
    server.closeAllConnections();
  });
  return proxy;
}

const countOf = async (proxy: StaticProxy, name: string): Promise<number> => {
  const { body } = await ask(proxy.admin!, `/stats?filter=^${name}$`);
  return Number(/: (\d+)\n$/.exec(body)?.[1]);
};

/** Sends requests over a connection each, enough for every thread to get some. */
async function sendMany(proxy: StaticProxy, count = 60): Promise<void> {
  const { address } = proxy.listeners[0]!;
  const answers = await Promise.all(Array.from({ length: count }, () => ask(address, '/')));
  assert.ok(answers.every(({ status, body }) => status === 200 && body === 'hello'));
}

test('all threads serve one port, and their counts are added up', async (t) => {
  const proxy = await startThreads(t);
  const sockets = await proxy.openSockets();
  assert.equal(
    sockets.length,
    concurrency + 1,
    'a listening socket for each thread, and the admin interface',
  );
  await sendMany(proxy);
  assert.equal(await countOf(proxy, 'http.web.downstream_rq_total'), 60);
  assert.equal(await countOf(proxy, 'cluster.be.upstream_rq_2xx'), 60);
  assert.equal(await countOf(proxy, 'cluster.be.membership_total'), 1, 'the same on all threads');
  assert.equal(await countOf(proxy, 'server.concurrency'), concurrency);
  assert.equal(await countOf(proxy, 'listener_manager.total_listeners_active'), 1);
  const { body } = await ask(proxy.admin!, '/clusters');
  assert.match(body, /::rq_total::60\n/);
});

test('what the admin interface is told reaches every thread', async (t) => {
  const proxy = await startThreads(t);
  const { address } = proxy.listeners[0]!;
  const agents = Array.from({ length: 24 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => agents.forEach((agent) => agent.destroy()));
  const closing = async (): Promise<number> => {
    const answers = await Promise.all(agents.map((agent) => ask(address, '/', { agent })));
    return answers.filter(({ headers }) => headers.connection === 'close').length;
  };
  assert.equal(await closing(), 0);
  await ask(proxy.admin!, '/healthcheck/fail', { method: 'POST' });
  await eventually('all threads ask to go', async () => (await closing()) === agents.length);
  await ask(proxy.admin!, '/healthcheck/ok', { method: 'POST' });
  await eventually('none does', async () => (await closing()) === 0);
  await ask(proxy.admin!, '/reset_counters', { method: 'POST' });
  assert.equal(await countOf(proxy, 'http.web.downstream_rq_total'), 0);
  await ask(proxy.admin!, '/drain_listeners', { method: 'POST' });
  await eventually('no thread accepts', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => ask(address, '/')));
    return outcomes.every(({ status }) => status === 'rejected');
  });
  assert.equal(await closing(), 0, 'what was connected goes on');
});

test('lines of access logs from all threads are whole', async (t) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'access.log');
  const type = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
  const format = { text_format_source: { inline_string: '%REQ(:PATH)% %RESPONSE_CODE%\n' } };
  const proxy = await startThreads(t, [
    { name: 'file', typed_config: { '@type': type, path, log_format: format } },
  ]);
  await sendMany(proxy, 90);
  await proxy.close();
  assert.equal(await readFile(path, 'utf8'), '/ 200\n'.repeat(90));
});

test('drains on all threads, and says how many requests were running', async (t) => {
  const held: (() => void)[] = [];
  const { server, port } = await startBackend((request, response) => {
    if (request.url === '/slow') held.push(() => response.end('late'));
    else response.end('soon');
  });
  t.after(() => server.close());
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      static_resources: { listeners: [listenerTo('web', 'be')], clusters: [clusterTo('be', port)] },
    },
    { concurrency },
  );
  const { address } = proxy.listeners[0]!;
  const answers = Promise.all(Array.from({ length: 24 }, () => ask(address, '/slow')));
  await eventually('all requests have arrived', () => held.length === 24);
  const drained = proxy.drain(10_000);
  await eventually('nobody can connect any more', () =>
    ask(address, '/').then(
      () => false,
      () => true,
    ),
  );
  for (const release of held) release();
  assert.deepEqual(new Set((await answers).map(({ body }) => body)), new Set(['late']));
  assert.equal(await drained, 0);
  await proxy.close();
});

test('threads serve TLS with secrets of the file, and resume what another has begun', async (t) => {
  const root = makeRoot('cluster.local');
  const leaf = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/web');
  const { server, port } = await startBackend((_request, response) => response.end('hello'));
  const listener = listenerTo('web', 'be');
  const typedConfig = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'web' }] },
  };
  Object.assign((listener as { filter_chains: object[] }).filter_chains[0]!, {
    transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: typedConfig },
  });
  const certificate = {
    certificate_chain: { inline_string: leaf.pem },
    private_key: { inline_string: leaf.keyPem },
  };
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      static_resources: {
        listeners: [listener],
        clusters: [clusterTo('be', port)],
        secrets: [{ name: 'web', tls_certificate: certificate }],
      },
    },
    { concurrency },
  );
  t.after(async () => {
    await proxy.close();
    server.close();
    server.closeAllConnections();
  });
  const [, listenPort = ''] = /:(\d+)$/.exec(proxy.listeners[0]!.address) ?? [];
  let session: Buffer | undefined;
  let resumed = 0;
  for (let visit = 0; visit < 20; visit++) {
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(listenPort),
      ca: root.pem,
      checkServerIdentity: () => undefined,
      ...(session === undefined ? {} : { session }),
    });
    socket.on('secureConnect', () => (resumed += socket.isSessionReused() ? 1 : 0));
    socket.on('session', (ticket) => (session = ticket));
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 200 /);
  }
  assert.ok(resumed >= 18, `${resumed} of 19 visits that could be were resumed`);
});

test('limits hold for all threads together', async (t) => {
  const { server, port } = await startBackend((_request, response) => response.end('hello'));
  const monitor = {
    name: 'envoy.resource_monitors.global_downstream_max_connections',
    typed_config: {
      '@type':
        'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
      max_active_downstream_connections: 20,
    },
  };
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      overload_manager: { resource_monitors: [monitor] },
      static_resources: { listeners: [listenerTo('web', 'be')], clusters: [clusterTo('be', port)] },
    },
    { concurrency },
  );
  const { address } = proxy.listeners[0]!;
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    return socket.on('error', () => undefined).resume();
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy.close();
    server.close();
    server.closeAllConnections();
  });
  const closed = (): number => sockets.filter((socket) => socket.closed).length;
  await eventually('those beyond the limit are closed', () => closed() === 80);
  const overflows = 'listener.*downstream_global_cx_overflow';
  assert.equal(await countOf(proxy, overflows), 80);
  assert.equal(await countOf(proxy, 'listener.*downstream_cx_active'), 20);
  for (const socket of sockets) socket.destroy();
  // One place is enough, whichever thread gets the connection.
  await eventually(
    'there is room again',
    async () => (await ask(address, '/').catch(() => null))?.status === 200,
  );
});

test('circuit breakers are those of the process, whichever threads the requests are on', async (t) => {
  const held: (() => void)[] = [];
  const { server, port } = await startBackend((_request, response) => {
    held.push(() => response.end('hello'));
  });
  const thresholds = [{ max_requests: 4, track_remaining: true }];
  const cluster = { ...clusterTo('be', port), circuit_breakers: { thresholds } };
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      static_resources: { listeners: [listenerTo('web', 'be')], clusters: [cluster] },
    },
    { concurrency },
  );
  t.after(async () => {
    await proxy.close();
    server.close();
    server.closeAllConnections();
  });
  const { address } = proxy.listeners[0]!;
  const running: Promise<unknown>[] = [];
  for (let count = 1; count <= 4; count++) {
    running.push(ask(address, '/'));
    await eventually('the backend has it', () => held.length === count);
  }
  // Connections are spread over the threads: each of them refuses what is one too many.
  const refused = await Promise.all(Array.from({ length: 30 }, () => ask(address, '/')));
  assert.ok(refused.every(({ status }) => status === 503));
  assert.equal(held.length, 4);
  const stat = 'cluster.be.circuit_breakers.default.';
  assert.equal(await countOf(proxy, `${stat}rq_open`), 1);
  assert.equal(await countOf(proxy, `${stat}remaining_rq`), 0);
  assert.equal(await countOf(proxy, 'cluster.be.upstream_rq_pending_overflow'), 30);
  for (const answer of held.splice(0)) answer();
  await Promise.all(running);
  await eventually(
    'all are counted as over',
    async () => (await countOf(proxy, `${stat}remaining_rq`)) === 4,
  );
  assert.equal(await countOf(proxy, `${stat}rq_open`), 0);
  const again = ask(address, '/');
  await eventually('it is let through', () => held.length === 1);
  held[0]!();
  assert.equal((await again).status, 200);
});

test('all threads accept from one Unix socket, whose file goes with the last', async (t) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'proxy.sock');
  const direct_response = { status: 200, body: { inline_string: 'hello' } };
  const hosts = [{ name: 'a', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response }] }];
  const listener = listenerTo(
    'web',
    '',
    { address: { pipe: { path } } },
    { route_config: { virtual_hosts: hosts } },
  );
  const proxy = await startStaticProxy({ static_resources: { listeners: [listener] } }, { concurrency });
  t.after(() => proxy.close());
  // Without system calls the main thread is alone.
  const isShared = typeof openEngine() !== 'string' && process.env['HEDDLE_TRANSPORT'] !== 'node';
  const threads = isShared ? concurrency : 1;
  await eventually('they listen', async () => (await proxy.openSockets()).length === threads);
  const script =
    "require('node:http').get({ socketPath: process.argv[1] }, (response) => response.pipe(process.stdout))";
  // The main thread stands still meanwhile.
  const { stdout } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8', timeout: 5_000 });
  assert.equal(stdout, isShared ? 'hello' : '');
  await proxy.close();
  await assert.rejects(stat(path), { code: 'ENOENT' });
});
