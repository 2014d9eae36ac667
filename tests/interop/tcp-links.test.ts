// TCP between two proxies of which one is Envoy: as streams that CONNECT opens over one link, and as connections over mTLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import {
  findEnvoy,
  freePort,
  skipWithout,
  startChild,
  startTcpServer,
  temporaryDirectory,
  waitForPort,
} from '@heddle/testkit';

type Json = Readonly<Record<string, unknown>>;
type Program = 'heddle' | 'envoy';
type Way = 'tunnel' | 'plain';

const launcher = fileURLToPath(new URL('../../packages/cli/bin/heddle', import.meta.url));
const envoy = findEnvoy();
const root = makeRoot('cluster.local');
const names = {
  caller: 'spiffe://cluster.local/ns/default/sa/a',
  callee: 'spiffe://cluster.local/ns/default/sa/db',
};

const at = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function typed(type: string, config: Json = {}): Json {
  return { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...config };
}

function tls(kind: 'Downstream' | 'Upstream', own: string, peer: string, alpn: readonly string[]): Json {
  const { pem, keyPem } = makeLeaf(root, own);
  const context = {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificates: [{ certificate_chain: { inline_string: pem }, private_key: { inline_string: keyPem } }],
    validation_context: {
      trusted_ca: { inline_string: root.pem },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: peer } }],
    },
    alpn_protocols: alpn,
  };
  const config = kind === 'Downstream' ? { require_client_certificate: true } : {};
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed(`transport_sockets.tls.v3.${kind}TlsContext`, {
      common_tls_context: context,
      ...config,
    }),
  };
}

function tcpProxy(config: Json): Json {
  const proxy = typed('filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'tcp', ...config });
  return { name: 'envoy.filters.network.tcp_proxy', typed_config: proxy };
}

/** What the control plane makes for a sidecar whose application speaks TCP. */
function callee(port: number, app: number): Json {
  const upgrades = [{ upgrade_type: 'CONNECT', connect_config: {} }];
  const route = { match: { connect_matcher: {} }, route: { cluster: 'app', upgrade_configs: upgrades } };
  const manager = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'inbound',
    http2_protocol_options: { allow_connect: true },
    upgrade_configs: [{ upgrade_type: 'CONNECT' }],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') },
    ],
  });
  const inspector = typed('filters.listener.tls_inspector.v3.TlsInspector');
  const listener = {
    name: 'in',
    address: at(port),
    listener_filters: [{ name: 'envoy.filters.listener.tls_inspector', typed_config: inspector }],
    filter_chains: [
      {
        filter_chain_match: { transport_protocol: 'tls', application_protocols: ['h2'] },
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
        transport_socket: tls('Downstream', names.callee, names.caller, ['h2']),
      },
    ],
    default_filter_chain: {
      filters: [tcpProxy({ cluster: 'app' })],
      transport_socket: tls('Downstream', names.callee, names.caller, []),
    },
  };
  return {
    static_resources: {
      listeners: [listener],
      clusters: [cluster('app', { endpoint: { address: at(app) } })],
    },
  };
}

function cluster(name: string, endpoint: Json, more: Json = {}): Json {
  return {
    name,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    ...more,
  };
}

/** What it makes for a caller. Envoy knows nothing of endpoints that take no tunnels. */
function caller(program: Program, way: Way, port: number, link: number): Json {
  const isTunnel = way === 'tunnel';
  const tunneling =
    isTunnel || program === 'heddle' ? { tunneling_config: { hostname: 'db.prod:5432' } } : {};
  const metadata = { 'envoy.transport_socket_match': { tunnel: isTunnel ? 'h2' : 'none' } };
  const endpoint = { endpoint: { address: at(link) }, metadata: { filter_metadata: metadata } };
  const options = typed('upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: {} },
  });
  const filters = [tcpProxy({ cluster: 'link', ...tunneling })];
  return {
    static_resources: {
      listeners: [{ name: 'out', address: at(port), filter_chains: [{ filters }] }],
      clusters: [
        cluster('link', endpoint, {
          transport_socket: tls('Upstream', names.caller, names.callee, []),
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options,
          },
        }),
      ],
    },
  };
}

async function start(t: TestContext, program: Program, config: Json, port: number): Promise<void> {
  const directory = await temporaryDirectory();
  const file = join(directory.path, 'proxy.json');
  await writeFile(file, JSON.stringify(config));
  const parameters =
    program === 'heddle'
      ? ['proxy', '--bootstrap', file]
      : ['-c', file, '--disable-hot-restart', '--concurrency', '1', '-l', 'error'];
  const child = await startChild(program === 'heddle' ? launcher : envoy!, {
    arguments: parameters,
    directory: directory.path,
  });
  t.after(async () => {
    await child.stop();
    await directory[Symbol.asyncDispose]();
  });
  await waitForPort(port);
}

/** A relay between the two that counts connections. */
async function countConnections(t: TestContext, target: number) {
  const counts = { port: 0, connections: 0 };
  const relay = await startTcpServer((socket) => {
    counts.connections++;
    const next = connect(target, '127.0.0.1');
    const dropBoth = (): void => {
      socket.destroy();
      next.destroy();
    };
    socket.on('error', dropBoth).on('close', dropBoth);
    next.on('error', dropBoth).on('close', dropBoth);
    socket.pipe(next).pipe(socket);
  });
  t.after(() => relay[Symbol.asyncDispose]());
  counts.port = relay.port;
  return counts;
}

async function conversation(port: number, text: string): Promise<string> {
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(text);
  let heard = '';
  for await (const chunk of socket.setEncoding('latin1')) heard += String(chunk);
  return heard;
}

for (const [from, to] of [
  ['heddle', 'envoy'],
  ['envoy', 'heddle'],
] as const) {
  for (const way of ['tunnel', 'plain'] as const) {
    test(`${way}: from ${from} to ${to}`, { skip: skipWithout({ envoy }) }, async (t) => {
      const app = createServer({ allowHalfOpen: true }, (socket) => {
        let bytes = 0;
        socket.write('hello, ');
        socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
        socket.on('end', () => socket.end(`${bytes} bytes`));
      }).listen(0, '127.0.0.1');
      t.after(() => app.close());
      await once(app, 'listening');
      const [inbound, outbound] = [await freePort(), await freePort()];
      await start(t, to, callee(inbound, (app.address() as AddressInfo).port), inbound);
      const link = await countConnections(t, inbound);
      await start(t, from, caller(from, way, outbound, link.port), outbound);
      // The first one makes the link.
      assert.equal(await conversation(outbound, 'x'), 'hello, 1 bytes');
      const before = link.connections;
      const texts = Array.from({ length: 10 }, (_, index) => 'x'.repeat(index * 100_000 + 1));
      const answers = await Promise.all(texts.map((text) => conversation(outbound, text)));
      assert.deepEqual(
        answers,
        texts.map(({ length }) => `hello, ${length} bytes`),
      );
      assert.equal(link.connections - before, way === 'tunnel' ? 0 : 10);
    });
  }
}
