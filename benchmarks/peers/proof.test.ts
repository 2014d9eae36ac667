import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { peers } from './peer.ts';
import type { Place } from './place.ts';
import { proveBackend, proveCount, proveStrictness, sumOf } from './proof.ts';

const heddle = peers.find((peer) => peer.name === 'heddle')!;
const page = `# TYPE envoy_http_downstream_rq_total counter
envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="http"} 1000
envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="admin"} 7
envoy_http_downstream_rq_total_more{envoy_http_conn_manager_prefix="http"} 5
`;

/** A proxy's admin and HTTP listener in one: it answers everything with `page`. */
async function lenientProxy(): Promise<AsyncDisposable & { readonly place: Place }> {
  const server = createServer((_request, response) => response.end(page));
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const ports = { http: port, https: port, tcp: port, h2: port, chain: port, 'chain-grpc': port };
  return {
    place: {
      directory: '',
      front: 'http',
      ports,
      adminPort: port,
      backendPort: 0,
      innerPort: 0,
      innerAdminPort: 0,
    },
    [Symbol.asyncDispose]: () => {
      server.close().closeAllConnections();
      return Promise.resolve();
    },
  };
}

test('sums the series of one counter that carry the label', () => {
  assert.equal(sumOf(page, 'envoy_http_downstream_rq_total', 'prefix="http"'), 1000);
});

test('a run counts where the proxy has counted exactly what was sent', async () => {
  await using proxy = await lenientProxy();
  await proveCount(heddle, proxy.place, { requests: 1000, bytes: 0 });
  await assert.rejects(
    proveCount(heddle, proxy.place, { requests: 1001, bytes: 0 }, 200),
    /counted 1000 requests, but 1001 were sent/,
  );
});

test('a run counts only where an ambiguous request gets its 400', async () => {
  await using proxy = await lenientProxy();
  await assert.rejects(
    proveStrictness(heddle, proxy.place),
    /takes a request with Content-Length and Transfer/,
  );
});

test('a backend that saw less than was answered, or more than was sent, is no proof', () => {
  proveBackend(heddle, 10, 10, 12);
  assert.throws(() => proveBackend(heddle, 9, 10, 12), /saw 9 requests/);
  assert.throws(() => proveBackend(heddle, 13, 10, 12), /saw 13 requests/);
});
