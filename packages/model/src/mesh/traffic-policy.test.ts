import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service, stored } from '../testing/objects.ts';
import { compileMesh, viewOf } from './mesh-compiler.ts';
import type { PlacedPolicy } from './traffic-policy.ts';

function policiesOf(...specs: readonly object[]): readonly PlacedPolicy[] {
  const objects = specs.map((spec, index) =>
    stored('DestinationRule', `web-${index}`, { host: 'web', ...spec }, index + 1),
  );
  const model = compileMesh({ objects, services: [service('web', 80, 8080)] });
  return viewOf(model.hosts.get('web.default.svc.cluster.local')!, 'default').policies;
}

/** What decides: port, subset, algorithm and the limit of connections. */
function summary(policies: readonly PlacedPolicy[]): string[] {
  return policies.map(({ port, subset, policy }) => {
    const { balancer, connections } = policy;
    return `${port} ${subset} ${balancer?.kind ?? '-'} ${connections?.maxConnections ?? '-'}`;
  });
}

const pool = (maxConnections: number): object => ({ connectionPool: { tcp: { maxConnections } } });

test('says nothing where no rule does', () => {
  assert.deepEqual(policiesOf(), []);
  assert.deepEqual(policiesOf({ subsets: [{ name: 'v1' }] }), []);
  assert.deepEqual(policiesOf({ trafficPolicy: { loadBalancer: { simple: 'UNSPECIFIED' } } }), []);
});

test("puts a subset's sections in the place of the host's, section by section", () => {
  const trafficPolicy = { loadBalancer: { simple: 'RANDOM' }, ...pool(1) };
  const subsets = [{ name: 'v1', trafficPolicy: pool(2) }, { name: 'v2' }];
  assert.deepEqual(summary(policiesOf({ trafficPolicy, subsets })), [
    '80  random 1',
    '80 v1 random 2',
    '80 v2 random 1',
    '8080  random 1',
    '8080 v1 random 2',
    '8080 v2 random 1',
  ]);
});

test('inherits nothing for a port that has settings of its own', () => {
  const trafficPolicy = {
    loadBalancer: { simple: 'RANDOM' },
    ...pool(1),
    portLevelSettings: [{ port: { number: 8080 }, ...pool(7) }],
  };
  assert.deepEqual(summary(policiesOf({ trafficPolicy })), ['80  random 1', '8080  - 7']);
  const subsets = [{ name: 'v1', trafficPolicy: { loadBalancer: { simple: 'LEAST_REQUEST' } } }];
  assert.deepEqual(summary(policiesOf({ trafficPolicy, subsets })).slice(2), [
    '8080  - 7',
    '8080 v1 least-request 7',
  ]);
});

test('follows the older of two rules, for the host and for each subset', () => {
  const policies = policiesOf(
    { subsets: [{ name: 'v1', trafficPolicy: pool(1) }] },
    { trafficPolicy: pool(2), subsets: [{ name: 'v1', trafficPolicy: pool(3) }] },
  );
  assert.deepEqual(summary(policies).slice(0, 2), ['80  - 2', '80 v1 - 1']);
});

test('reads limits, times, security and budgets', () => {
  const [placed] = policiesOf({
    trafficPolicy: {
      connectionPool: {
        tcp: { connectTimeout: '2s', tcpKeepalive: { time: '60s' }, maxConnectionDuration: '10m' },
        http: {
          http1MaxPendingRequests: 3,
          http2MaxRequests: 0,
          maxRequestsPerConnection: 5,
          maxRetries: 6,
          idleTimeout: '30s',
          maxConcurrentStreams: 8,
          http2KeepAlive: { interval: '9s', timeout: '1s' },
        },
      },
      tls: { mode: 'ISTIO_MUTUAL', subjectAltNames: ['spiffe://a/b'] },
      retryBudget: { percent: 30 },
    },
  });
  assert.deepEqual(placed?.policy, {
    balancer: null,
    connections: {
      maxConnections: null,
      connectTimeoutMs: 2000,
      keepaliveTimeMs: 60_000,
      maxConnectionDurationMs: 600_000,
      maxPendingRequests: 3,
      maxRequests: null,
      maxRequestsPerConnection: 5,
      maxRetries: 6,
      idleTimeoutMs: 30_000,
      maxConcurrentStreams: 8,
      http2KeepaliveMs: { interval: 9000, timeout: 1000 },
    },
    tls: { mode: 'ISTIO_MUTUAL', sni: null, subjectAltNames: ['spiffe://a/b'] },
    retryBudget: { percent: 30, minConcurrency: 3 },
  });
});
