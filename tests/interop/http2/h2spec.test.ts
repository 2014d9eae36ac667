// h2spec in its strict mode against `heddle proxy`, which forwards what is a request to a server of HTTP/1.1.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { skipWithout, startChild, temporaryDirectory } from '@heddle/testkit';
import { findH2spec } from './h2spec-program.ts';

type Json = Readonly<Record<string, unknown>>;

const launcher = fileURLToPath(new URL('../../../packages/cli/bin/heddle', import.meta.url));
const h2spec = await findH2spec();
const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const at = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });

const secured: Json = {
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
};

function listener(name: string, transport: Json): Json {
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    // With AUTO what begins as no HTTP/2 is read, and answered, as HTTP/1.
    codec_type: 'HTTP2',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'server' } }] },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return { name, address: at(0), filter_chains: [{ filters, ...transport }] };
}

function bootstrap(port: number): Json {
  return {
    static_resources: {
      listeners: [listener('cleartext', {}), listener('tls', { transport_socket: secured })],
      clusters: [
        {
          name: 'server',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'server',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
          },
        },
      ],
    },
  };
}

test('every case of h2spec passes', { skip: skipWithout({ h2spec }) }, async (context) => {
  await using directory = await temporaryDirectory();
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('hello, world'));
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const leaf = makeLeaf(makeRoot('cluster.local'), 'spiffe://cluster.local/ns/default/sa/web');
  await writeFile(join(directory.path, 'cert.pem'), leaf.pem);
  await writeFile(join(directory.path, 'key.pem'), leaf.keyPem);
  const file = join(directory.path, 'bootstrap.json');
  await writeFile(file, JSON.stringify(bootstrap((server.address() as AddressInfo).port)));
  await using proxy = await startChild(launcher, {
    arguments: ['proxy', '--bootstrap', file],
    directory: directory.path,
  });
  for (const [name, more] of [
    ['cleartext', []],
    ['tls', ['--tls', '--insecure']],
  ] as const) {
    const [, port] = await proxy.line(new RegExp(`listener ${name} on 127\\.0\\.0\\.1:(\\d+)$`));
    await context.test(`over ${name}`, async () => {
      await using child = await startChild(h2spec!, {
        arguments: ['--strict', '--port', port!, '--timeout', '5', ...more],
      });
      await child.ended(120_000);
      assert.match(child.output, /146 tests, 146 passed, 0 skipped, 0 failed/);
    });
  }
});
