import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { eventually, temporaryDirectory } from '@heddle/testkit';
import {
  ask,
  type AskOptions,
  clusterTo,
  listenerTo,
  loopback,
  startBackend,
  startStaticProxy,
} from '../bootstrap/static-proxy-harness.ts';
import type { StaticProxy } from '../bootstrap/static-proxy.ts';

describe('the admin interface', () => {
  let proxy: StaticProxy;
  let closeBackend: () => void;
  let quits = 0;
  const quit = Promise.withResolvers<void>();
  const admin = (path: string, options?: AskOptions) => ask(proxy.admin!, path, options);
  const post = (path: string) => admin(path, { method: 'POST' });
  const web = (options?: AskOptions) => ask(proxy.listeners[0]!.address, '/', options);

  before(async () => {
    const { server, port } = await startBackend((_request, response) => response.end('hello'));
    closeBackend = () => server.close();
    proxy = await startStaticProxy(
      {
        node: { id: 'n1', cluster: 'c1' },
        admin: { address: loopback(0) },
        static_resources: {
          listeners: [listenerTo('web', 'be'), listenerTo('inbound', 'be', { traffic_direction: 'INBOUND' })],
          clusters: [clusterTo('be', port), clusterTo('unused', 9)],
        },
      },
      {
        onQuit: () => {
          quits++;
          quit.resolve();
        },
      },
    );
    await web();
  });

  after(async () => {
    await proxy.close();
    closeBackend();
  });

  test('/stats has dotted names', async () => {
    const { body } = await admin('/stats?usedonly&filter=^cluster.be.upstream_rq_(total|2xx)$');
    assert.equal(body, 'cluster.be.upstream_rq_2xx: 1\ncluster.be.upstream_rq_total: 1\n');
    const server = await admin(
      '/stats?filter=^server.(live|state|concurrency)|total_listeners_active|active_clusters',
    );
    assert.equal(
      server.body,
      'cluster_manager.active_clusters: 2\nlistener_manager.total_listeners_active: 2\n' +
        'server.concurrency: 1\nserver.live: 1\nserver.state: 0\n',
    );
  });

  test('/stats/prometheus has the same under its own names', async () => {
    const { body, headers } = await admin('/stats/prometheus?filter=be.upstream_rq_total');
    assert.match(body, /\nenvoy_cluster_upstream_rq_total\{envoy_cluster_name="be"\} 1\n$/);
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  });

  test('/clusters lists endpoints with their counts', async () => {
    const { body } = await admin('/clusters');
    assert.match(body, /^be::127\.0\.0\.1:\d+::rq_total::1$/m);
    assert.match(body, /^be::127\.0\.0\.1:\d+::health_flags::healthy$/m);
    assert.match(body, /^unused::127\.0\.0\.1:9::rq_total::0$/m);
    const json = JSON.parse((await admin('/clusters?format=json&filter=^be$')).body) as {
      cluster_statuses: { name: string; host_statuses: { weight: number }[] }[];
    };
    assert.deepEqual(
      json.cluster_statuses.map(({ name, host_statuses: hosts }) => [name, hosts[0]?.weight]),
      [['be', 1]],
    );
  });

  test('/listeners lists names and addresses', async () => {
    const [first, second] = proxy.listeners;
    assert.equal((await admin('/listeners')).body, `web::${first!.address}\ninbound::${second!.address}\n`);
    const json = JSON.parse((await admin('/listeners?format=json')).body) as {
      listener_statuses: { local_address: { socket_address: { address: string } } }[];
    };
    assert.equal(json.listener_statuses[0]?.local_address.socket_address.address, '127.0.0.1');
  });

  test('/config_dump has bootstrap, clusters, listeners and routes', async () => {
    const { configs } = JSON.parse((await admin('/config_dump')).body) as {
      configs: Record<string, unknown>[];
    };
    assert.deepEqual(
      configs.map((config) => String(config['@type']).split('.').at(-1)),
      [
        'BootstrapConfigDump',
        'ClustersConfigDump',
        'ListenersConfigDump',
        'ScopedRoutesConfigDump',
        'RoutesConfigDump',
        'SecretsConfigDump',
      ],
    );
    const one = await admin('/config_dump?resource=static_clusters&mask=cluster.name&name_regex=^b');
    assert.deepEqual(JSON.parse(one.body), {
      configs: [
        {
          '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster',
          cluster: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'be' },
        },
      ],
    });
    for (const query of ['mask=foo.bar', 'resource=static_clusters&mask=cluster.nope']) {
      const { status, body } = await admin(`/config_dump?${query}`);
      assert.equal(status, 400);
      assert.match(body, /^FieldMask (?:foo\.bar|cluster\.nope) could not be successfully/);
    }
    const none = await admin('/config_dump?resource=static_clusters&mask=cluster.name&name_regex=^none$');
    assert.deepEqual([none.status, none.body], [200, '{}\n']);
    const routes = await admin('/config_dump?resource=static_route_configs&mask=route_config.name');
    assert.match(routes.body, /"routes-of-web"[^]*"routes-of-inbound"/);
  });

  test('/config_dump tells lists that are empty from fields that are none, and from what nobody knows', async () => {
    const answer = async (query: string) => {
      const { status, body } = await admin(`/config_dump?${query}`);
      return [status, body];
    };
    assert.deepEqual(await answer('resource=dynamic_listeners'), [200, '{}\n']);
    assert.deepEqual(await answer('resource=nope'), [404, 'nope not found in config dump\n']);
    assert.deepEqual(await answer('resource=bootstrap'), [
      400,
      'bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field\n',
    ]);
    assert.deepEqual(await answer('resource=static_endpoint_configs'), [
      404,
      'static_endpoint_configs not found in config dump\n',
    ]);
  });

  test('/config_dump has endpoints where they are asked for, and is indented all through', async () => {
    const { body } = await admin('/config_dump?include_eds');
    const parsed = JSON.parse(body) as {
      configs: { '@type': string; static_endpoint_configs?: unknown[] }[];
    };
    assert.equal(body, `${JSON.stringify(parsed, null, 1)}\n`);
    const endpoints = parsed.configs.find((config) => config['@type'].endsWith('.EndpointsConfigDump'));
    assert.deepEqual(endpoints?.static_endpoint_configs?.[1], {
      endpoint_config: {
        '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
        cluster_name: 'unused',
        endpoints: [
          {
            locality: {},
            lb_endpoints: [
              {
                endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 9 } } },
                health_status: 'HEALTHY',
                load_balancing_weight: 1,
              },
            ],
          },
        ],
      },
    });
    const one = await admin('/config_dump?include_eds&resource=static_endpoint_configs&name_regex=unused');
    assert.equal((JSON.parse(one.body) as { configs: unknown[] }).configs.length, 1);
  });

  test('what Envoy has and a proxy in Node has no use for is answered in a sentence', async () => {
    const answers: Readonly<Record<string, readonly [number, RegExp]>> = {
      'GET /contention': [200, /^Threads share no locks/],
      'POST /cpuprofiler?enable=y': [501, /--cpu-prof/],
      'POST /heapprofiler': [501, /--heap-prof/],
      'GET /heap_dump': [501, /--inspect/],
      'POST /allocprofiler?enable=y': [501, /no profiler/],
      'GET /stats/recentlookups': [501, /never for a request/],
      'POST /runtime_modify?a=b': [503, /bootstrap file/],
      'GET /runtime': [200, /^\{\n "entries": \{\},\n "layers": \[\]\n\}\n$/],
      'GET /init_dump': [200, /^\{\}\n$/],
      'GET /hot_restart_version': [200, /^disabled\n$/],
    };
    for (const [question, [status, sentence]] of Object.entries(answers)) {
      const [method, path] = question.split(' ');
      const answer = await admin(path!, { method: method! });
      assert.deepEqual([question, answer.status], [question, status]);
      assert.match(answer.body, sentence);
      const lines = (await admin('/help')).body.split('\n');
      assert.ok(lines.some((line) => line.trim().split(/[ :]/)[0] === path!.split('?')[0]));
    }
  });

  test('/server_info tells state, options and node', async () => {
    const info = JSON.parse((await admin('/server_info')).body) as Record<string, Record<string, unknown>>;
    assert.equal(info['state'], 'LIVE');
    assert.equal(info['node']?.['id'], 'n1');
    assert.equal(info['command_line_options']?.['concurrency'], 1);
  });

  test('what changes something is POSTed', async () => {
    for (const path of [
      '/quitquitquit',
      '/drain_listeners',
      '/healthcheck/fail',
      '/logging',
      '/reset_counters',
    ]) {
      const { status, body } = await admin(path);
      assert.deepEqual([path, status, body], [path, 405, 'Method GET not allowed, POST required.']);
    }
    assert.equal((await admin('/ready', { method: 'DELETE' })).status, 405);
    assert.equal(quits, 0);
  });

  test("/clusters has all that Envoy tells of a host, and in JSON what isn't zero", async () => {
    const { body } = await admin('/clusters?filter=^unused$');
    const names = body.split('\n').flatMap((line) => /^unused::127\.0\.0\.1:9::(.*)$/.exec(line)?.[1] ?? []);
    assert.deepEqual(names.slice(9), [
      'hostname::',
      'health_flags::healthy',
      'weight::1',
      'region::',
      'zone::',
      'sub_zone::',
      'canary::false',
      'priority::0',
      'success_rate::-1',
      'local_origin_success_rate::-1',
    ]);
    const json = JSON.parse((await admin('/clusters?format=json&filter=^be$')).body) as {
      cluster_statuses: {
        host_statuses: { stats: object[] }[];
        circuit_breakers: { thresholds: object[] };
      }[];
    };
    const [status] = json.cluster_statuses;
    assert.deepEqual(status?.circuit_breakers.thresholds[1], {
      priority: 'HIGH',
      max_connections: 1024,
      max_pending_requests: 1024,
      max_requests: 1024,
      max_retries: 3,
    });
    assert.deepEqual(status.host_statuses[0]?.stats.slice(0, 3), [
      { name: 'cx_connect_fail' },
      { value: '1', name: 'cx_total' },
      { name: 'rq_error' },
    ]);
  });

  test('/clusters says what the circuit breakers allow', async () => {
    const { body } = await admin('/clusters');
    assert.match(body, /^[^:]+::default_priority::max_connections::\d+$/m);
    assert.match(body, /^[^:]+::high_priority::max_requests::1024$/m);
  });

  test('pages in browsers get nothing: neither by a name of their own nor from another origin', async () => {
    const status = async (headers: Record<string, string>) =>
      (await admin('/healthcheck/fail', { method: 'POST', headers })).status;
    assert.equal(await status({ host: 'rebound.example' }), 403);
    assert.equal(await status({ host: '127.0.0.1.example' }), 403);
    assert.equal(await status({ origin: 'https://evil.example' }), 403);
    assert.equal(await status({ origin: 'null' }), 403);
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await status({ 'sec-fetch-site': 'same-site' }), 403);
    assert.equal((await admin('/ready')).body, 'LIVE\n', 'none of them had an effect');
    assert.equal((await admin('/ready', { headers: { host: 'localhost' } })).status, 200);
    assert.equal((await admin('/ready', { headers: { host: '[::1]:9901' } })).status, 200);
  });

  test('a failed health check turns /ready and asks clients to go', async () => {
    const agent = new Agent({ keepAlive: true });
    await post('/healthcheck/fail');
    assert.deepEqual([(await admin('/ready')).status, (await admin('/ready')).body], [503, 'DRAINING\n']);
    assert.equal((await web({ agent })).headers.connection, 'close');
    await post('/healthcheck/ok');
    assert.equal((await admin('/ready')).status, 200);
    assert.equal((await web({ agent })).headers.connection, undefined);
    agent.destroy();
  });

  test('/logging shows and moves levels, and changes nothing where one is wrong', async () => {
    assert.match((await post('/logging')).body, /^active loggers:\n {2}main: off\n/);
    assert.match((await post('/logging?level=error')).body, /main: error\n[^]*listener: error\n/);
    assert.match(
      (await post('/logging?paths=listener:debug,main:warn')).body,
      /main: warning\n[^]*listener: debug\n/,
    );
    assert.equal((await post('/logging?main=info&level=zz')).status, 400);
    assert.equal((await post('/logging?nobody=info')).status, 400);
    assert.match((await post('/logging?level=off')).body, /main: off\n/);
  });

  test('/help lists every path, and so does an unknown one', async () => {
    const { body } = await admin('/help');
    assert.match(body, /^ {2}\/quitquitquit \(POST\): end the process$/m);
    const unknown = await admin('/nope');
    assert.deepEqual([unknown.status, unknown.body], [404, `invalid path. ${body}`]);
    assert.equal((await admin('/__proto__')).status, 404);
  });

  test('/memory and /certs answer in JSON', async () => {
    assert.ok(Number((JSON.parse((await admin('/memory')).body) as { allocated: string }).allocated) > 0);
    assert.deepEqual(JSON.parse((await admin('/certs')).body), { certificates: [] });
  });

  test('/quitquitquit asks for the end', async () => {
    assert.equal((await post('/quitquitquit')).body, 'OK\n');
    await quit.promise;
    assert.equal(quits, 1);
  });

  test('/reset_counters starts again at 0', async () => {
    await post('/reset_counters');
    assert.equal(
      (await admin('/stats?filter=be.upstream_rq_total')).body,
      'cluster.be.upstream_rq_total: 0\n',
    );
  });

  test('/drain_listeners closes the inbound ones, then all, and leaves connections alone', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const [, inbound] = proxy.listeners;
    await web({ agent });
    await post('/drain_listeners?inboundonly');
    await assert.rejects(ask(inbound!.address, '/'), /ECONNREFUSED/);
    await web();
    await post('/drain_listeners');
    await assert.rejects(web(), /ECONNREFUSED/);
    assert.equal((await web({ agent })).body, 'hello', 'on the connection from before');
    agent.destroy();
  });
});

test('the admin interface can listen on a Unix socket, which only its owner may use', async (t) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'admin.sock');
  const proxy = await startStaticProxy({
    admin: { address: { pipe: { path } } },
    static_resources: { listeners: [listenerTo('web', 'be')], clusters: [clusterTo('be', 9)] },
  });
  t.after(() => proxy.close());
  assert.equal(proxy.admin, path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  get({ socketPath: path, path: '/ready', headers: { host: 'anything' } }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  assert.equal(await promise, 200);
  await proxy.close();
  await assert.rejects(stat(path), /ENOENT/);
});

test('a graceful drain asks clients to go, and closes the listeners when its time is up', async (t) => {
  const { server, port } = await startBackend((_request, response) => response.end('hello'));
  const proxy = await startStaticProxy(
    {
      admin: { address: loopback(0) },
      static_resources: { listeners: [listenerTo('web', 'be')], clusters: [clusterTo('be', port)] },
    },
    { drain: { drainTimeMs: 500, strategy: 'immediate' } },
  );
  t.after(async () => {
    await proxy.close();
    server.close();
  });
  const [listener] = proxy.listeners;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal((await ask(listener!.address, '/', { agent })).headers.connection, undefined);
  await ask(proxy.admin!, '/drain', { method: 'POST' });
  assert.equal((await ask(listener!.address, '/', { agent })).headers.connection, 'close');
  assert.equal((await ask(listener!.address, '/')).status, 200, 'it accepts yet');
  await eventually('it does not any more', () =>
    ask(listener!.address, '/').then(
      () => false,
      () => true,
    ),
  );
  assert.equal((await ask(proxy.admin!, '/ready')).status, 200, 'as with Envoy, draining is not ending');
});

test('certificates of listeners are listed, and keys are in no page', async (t) => {
  const { pem, keyPem } = makeLeaf(makeRoot('cluster.local'), 'spiffe://cluster.local/ns/a/sa/b');
  const tls = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } },
        ],
      },
    },
  };
  const listener = listenerTo('web', 'be');
  const [chain] = listener.filter_chains;
  const proxy = await startStaticProxy({
    admin: { address: loopback(0) },
    static_resources: {
      listeners: [{ ...listener, filter_chains: [{ ...chain, transport_socket: tls }] }],
      clusters: [clusterTo('be', 9)],
    },
  });
  t.after(() => proxy.close());
  const { certificates } = JSON.parse((await ask(proxy.admin!, '/certs')).body) as {
    certificates: { cert_chain: { days_until_expiration: string }[] }[];
  };
  assert.match(certificates[0]?.cert_chain[0]?.days_until_expiration ?? '', /^\d+$/);
  const days = await ask(proxy.admin!, '/stats?filter=days_until_first_cert_expiring');
  assert.equal(
    days.body,
    `server.days_until_first_cert_expiring: ${certificates[0]?.cert_chain[0]?.days_until_expiration}\n`,
  );
  const secret = keyPem.split('\n')[1]!;
  for (const path of [
    '/config_dump',
    '/config_dump?include_eds&resource=static_listeners',
    '/certs',
    '/server_info',
  ]) {
    const { body } = await ask(proxy.admin!, path);
    assert.ok(!body.includes(secret), path);
  }
  assert.match((await ask(proxy.admin!, '/config_dump')).body, /\[redacted\]/);
});

test('/certs names the files that certificates came from, and all names that they have', async (t) => {
  await using directory = await temporaryDirectory();
  const root = makeRoot('cluster.local');
  const { pem, keyPem } = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/web', {
    dnsNames: ['web.example'],
  });
  const files = { 'cert.pem': pem, 'key.pem': keyPem, 'roots.pem': root.pem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text);
  const file = (name: string): object => ({ filename: join(directory.path, name) });
  const socket = (common: object): object => ({
    name: 'tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: common,
    },
  });
  const secured = (name: string, common: object): object => {
    const listener = listenerTo(name, 'be');
    return {
      ...listener,
      filter_chains: [{ ...listener.filter_chains[0], transport_socket: socket(common) }],
    };
  };
  const proxy = await startStaticProxy({
    admin: { address: loopback(0) },
    static_resources: {
      listeners: [
        secured('files', {
          tls_certificates: [{ certificate_chain: file('cert.pem'), private_key: file('key.pem') }],
          validation_context: { trusted_ca: file('roots.pem') },
        }),
        secured('inline', {
          tls_certificates: [
            { certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } },
          ],
        }),
      ],
      clusters: [clusterTo('be', 9)],
    },
  });
  t.after(() => proxy.close());
  const { certificates } = JSON.parse((await ask(proxy.admin!, '/certs')).body) as {
    certificates: Record<'ca_cert' | 'cert_chain', { path: string; subject_alt_names: unknown }[]>[];
  };
  const paths = certificates.map(({ ca_cert, cert_chain }) =>
    [...ca_cert, ...cert_chain].map(({ path }) => path),
  );
  assert.deepEqual(paths, [
    [join(directory.path, 'roots.pem'), join(directory.path, 'cert.pem')],
    ['<inline>'],
  ]);
  assert.deepEqual(certificates[0]?.cert_chain[0]?.subject_alt_names, [
    { dns: 'web.example' },
    { uri: 'spiffe://cluster.local/ns/default/sa/web' },
  ]);
});
