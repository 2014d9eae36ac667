// `heddle proxy`, and Envoy where it is asked for, with listeners and clusters that speak HTTP/2.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { freePort, startChild, temporaryDirectory, waitForPort } from '@heddle/testkit';

type Json = Readonly<Record<string, unknown>>;

const launcher = fileURLToPath(new URL('../../../../packages/cli/bin/heddle', import.meta.url));
const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const at = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** A listener's TLS; clients choose the protocol by ALPN. */
const secured: Json = {
  transport_socket: {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [
          { certificate_chain: { filename: 'cert.pem' }, private_key: { filename: 'key.pem' } },
        ],
      },
    },
  },
};
const speaksHttp2: Json = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': type('upstreams.http.v3.HttpProtocolOptions'),
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function listener(name: string, port: number, codec: 'AUTO' | 'HTTP2', transport: Json): Json {
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    codec_type: codec,
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'next' } }] },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return { name, address: at(port), filter_chains: [{ filters, ...transport }] };
}

/** Where requests go on to. */
export interface Next {
  readonly port: number;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
}

function cluster({ port, protocol }: Next): Json {
  return {
    name: 'next',
    type: 'STATIC',
    load_assignment: {
      cluster_name: 'next',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
    },
    ...(protocol === 'HTTP/2' ? speaksHttp2 : {}),
  };
}

/** A server of HTTP/1.1 that lives as long as the test. */
export async function serve(context: TestContext, listen: RequestListener): Promise<Next> {
  const server = createServer(listen).listen(0, '127.0.0.1');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, protocol: 'HTTP/1.1' };
}

/** Ports of the listeners of a proxy. */
export interface Ports {
  /** HTTP/2 only. */
  readonly cleartext: number;
  /** HTTP/2 or HTTP/1.1, as ALPN says. */
  readonly tls: number;
}

/** Starts our proxy; it ends with the test. */
export async function startProxy(context: TestContext, next: Next): Promise<Ports> {
  const directory = await temporaryDirectory();
  const leaf = makeLeaf(makeRoot('cluster.local'), 'spiffe://cluster.local/ns/default/sa/web');
  await writeFile(join(directory.path, 'cert.pem'), leaf.pem);
  await writeFile(join(directory.path, 'key.pem'), leaf.keyPem);
  // With AUTO what begins as no HTTP/2 would be read, and answered, as HTTP/1.
  const listeners = [listener('cleartext', 0, 'HTTP2', {}), listener('tls', 0, 'AUTO', secured)];
  const file = join(directory.path, 'bootstrap.json');
  await writeFile(file, JSON.stringify({ static_resources: { listeners, clusters: [cluster(next)] } }));
  const proxy = await startChild(launcher, {
    arguments: ['proxy', '--bootstrap', file],
    directory: directory.path,
  });
  context.after(async () => {
    await proxy.stop();
    await directory[Symbol.asyncDispose]();
  });
  const portOf = async (name: string): Promise<number> =>
    Number((await proxy.line(new RegExp(`listener ${name} on 127\\.0\\.0\\.1:(\\d+)$`)))[1]);
  return { cleartext: await portOf('cleartext'), tls: await portOf('tls') };
}

/** Starts Envoy with one listener of HTTP/2 without TLS; it ends with the test. */
export async function startEnvoy(context: TestContext, envoy: string, next: Next): Promise<Next> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const listeners = [listener('cleartext', port, 'HTTP2', {})];
  const file = join(directory.path, 'envoy.json');
  await writeFile(file, JSON.stringify({ static_resources: { listeners, clusters: [cluster(next)] } }));
  const child = await startChild(envoy, {
    arguments: ['-c', file, '--disable-hot-restart', '--concurrency', '1', '-l', 'error'],
    directory: directory.path,
  });
  context.after(async () => {
    await child.stop();
    await directory[Symbol.asyncDispose]();
  });
  await waitForPort(port);
  return { port, protocol: 'HTTP/2' };
}
