// Requests of high priority have circuit breakers and connections of their own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { formatPrometheus } from '@heddle/telemetry';
import { ConfiguredProxy, socketAddress, staticCluster } from '../listener/test-proxy.ts';
import { openTransport } from '../transport/open-transport.ts';
import { RawClient, startResponder } from './proxy-under-test.ts';

const manager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const router = 'envoy.extensions.filters.http.router.v3.Router';

test('what the default priority may not do any more, the high one may', async (t) => {
  const held = Promise.withResolvers<void>();
  const backend = await startResponder((head) => {
    if (!head.startsWith('GET /slow')) return 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
    held.resolve();
    return null;
  });
  const transport = openTransport(systemClock, silentLogger);
  const proxy = new ConfiguredProxy({ transport, clock: systemClock, random: systemRandom });
  const typed = {
    '@type': `type.googleapis.com/${manager}`,
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { prefix: '/high' }, route: { cluster: 'be', priority: 'HIGH' } },
            { match: { prefix: '/' }, route: { cluster: 'be' } },
          ],
        },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `type.googleapis.com/${router}` } }],
  };
  const problems = await proxy.apply({
    listeners: [
      {
        name: 'in',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [{ filters: [{ name: 'hcm', typed_config: typed }] }],
      },
    ],
    clusters: [
      staticCluster('be', '127.0.0.1', [backend.port], {
        circuit_breakers: { thresholds: [{ max_requests: 1 }] },
      }),
    ],
  });
  assert.deepEqual(problems, []);
  const { port } = proxy.proxy.listeners.listeners[0]!;
  const clients = ['/slow', '/', '/high'].map(() => new RawClient(port));
  t.after(async () => {
    for (const client of clients) client.close();
    await proxy.proxy.close();
    await backend.close();
  });
  const [slow, refused, high] = clients;
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  slow!.write(get('/slow'));
  await held.promise;
  refused!.write(get('/'));
  assert.match(await refused!.until((text) => text.includes('overflow')), /^HTTP\/1\.1 503 /);
  high!.write(get('/high'));
  assert.match(await high!.until((text) => text.endsWith('ok')), /^HTTP\/1\.1 200 /);
  const text = formatPrometheus(proxy.proxy.registry.collect());
  assert.match(text, /^envoy_cluster_circuit_breakers_default_rq_open\{envoy_cluster_name="be"\} 1$/m);
  assert.match(text, /^envoy_cluster_circuit_breakers_high_rq_open\{envoy_cluster_name="be"\} 0$/m);
});
