import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, systemRandom, TimerWheel } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { formatPrometheus, MetricRegistry } from '@heddle/telemetry';
import { defaultCircuitBreakerLimits } from './circuit-breaker.ts';
import { Cluster, type ClusterConfig, type EndpointConfig, type EndpointList } from './cluster.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { Endpoint } from './endpoint.ts';
import { parseAuthority } from './passthrough.ts';
import { RoundRobin } from './round-robin.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';
import { defaultClientSettings } from '../http1/client-connection.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';

const clock = new VirtualClock();
const timers = new TimerWheel(clock);

class FakePool {
  isClosed = false;
  hasDropped = false;

  close(): void {
    this.isClosed = true;
  }

  dropConnections(): void {
    this.hasDropped = true;
  }
}

const plain: ClusterConfig = {
  name: 'c',
  connections: {
    connectTimeoutMs: 5000,
    keepAliveMs: null,
    idleTimeoutMs: 3_600_000,
    maxDurationMs: 0,
    maxRequests: 0,
    protocol: 'http1',
    responses: defaultClientSettings,
    http2: defaultHttp2Options,
  },
  tls: null,
  source: null,
  proxyProtocol: null,
  breakers: { default: defaultCircuitBreakerLimits, high: defaultCircuitBreakerLimits },
  isPassthrough: false,
  dropsConnectionsOfUnhealthy: false,
  originalDestination: null,
  dns: null,
  balancing: {
    policy: 'round-robin',
    choiceCount: 2,
    panicThresholdPercent: 0,
    ringSize: { minimum: 1024, maximum: 1024 },
    tableSize: 103,
  },
};

function fixed(value: number): Random {
  return { uint32: () => value, float: () => 0 };
}

function makeCluster(
  config: Partial<ClusterConfig> = {},
  registry = new MetricRegistry(),
): Cluster<FakePool> {
  return new Cluster(
    { ...plain, ...config },
    new ClusterMetrics(registry, config.name ?? 'c'),
    () => new FakePool(),
    timers,
  );
}

function at(port: number, changes: Partial<EndpointConfig> = {}): EndpointConfig {
  const endpoint = { host: '10.0.0.1', port, name: '', weight: 1, priority: 0, takesTunnels: true };
  return { ...endpoint, health: 'healthy', ...changes };
}

function listOf(endpoints: readonly EndpointConfig[]): EndpointList {
  return { endpoints, overprovisioningPercent: 140 };
}

function endpoint(port: number, weight: number): Endpoint<FakePool> {
  return new Endpoint('10.0.0.1', port, weight, 'healthy', () => new FakePool());
}

function picks(cluster: Cluster<FakePool>, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => cluster.pick(systemRandom, 'x')?.port);
}

test('takes equal endpoints in turn from a random start', () => {
  const endpoints = [endpoint(1, 1), endpoint(2, 1), endpoint(3, 1)];
  const balancer = new RoundRobin(endpoints, fixed(7));
  assert.deepEqual(
    Array.from({ length: 5 }, () => balancer.pick()?.port),
    [2, 3, 1, 2, 3],
  );
});

test('a balancer of nothing picks nothing', () => {
  assert.equal(new RoundRobin([], systemRandom).pick(), null);
  assert.equal(new WeightedRoundRobin([], systemRandom).pick(), null);
});

test('unequal weights get exactly their shares, spread evenly', () => {
  const balancer = new WeightedRoundRobin([endpoint(1, 5), endpoint(2, 1), endpoint(3, 4)], fixed(0));
  const ports = Array.from({ length: 1000 }, () => balancer.pick()!.port);
  for (let start = 0; start < 1000; start += 10) {
    const window = ports.slice(start, start + 10);
    assert.equal(window.filter((port) => port === 1).length, 5);
    assert.equal(window.filter((port) => port === 2).length, 1);
  }
  assert.doesNotMatch(ports.join(''), /111|333/);
});

test('the heap gives the same order as a plain search for the earliest deadline', () => {
  const weights = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
  const balancer = new WeightedRoundRobin(
    weights.map((weight, index) => endpoint(index + 1, weight)),
    fixed(0),
  );
  const deadlines = weights.map((weight) => 1 / weight);
  for (let i = 0; i < 2000; i++) {
    let best = 0;
    for (let j = 1; j < deadlines.length; j++) if (deadlines[j]! < deadlines[best]!) best = j;
    deadlines[best]! += 1 / weights[best]!;
    assert.equal(balancer.pick()?.port, best + 1);
  }
});

test('many proxies with the same list do not all start with the same endpoint', () => {
  for (const weight of [1, 2]) {
    const firsts = new Set<number | undefined>();
    for (let i = 0; i < 100; i++) {
      const cluster = makeCluster();
      cluster.setEndpoints(listOf([at(1, { weight }), at(2), at(3), at(4)]), systemRandom);
      firsts.add(cluster.pick(systemRandom, 'x')?.port);
    }
    assert.ok(firsts.size >= 2, `weight ${weight}: ${firsts.size}`);
  }
});

test('an endpoint keeps its object and its pool over updates of the list', () => {
  const cluster = makeCluster();
  cluster.setEndpoints(listOf([at(1), at(2)]), systemRandom);
  const [first, second] = cluster.endpoints;
  cluster.setEndpoints(listOf([at(2, { weight: 3 }), at(3)]), systemRandom);
  assert.equal(
    cluster.endpoints.find((candidate) => candidate.port === 2),
    second,
  );
  assert.equal(second?.weight, 3);
  assert.equal(second.isRemoved, false);
  assert.equal(second.pool.isClosed, false);
  assert.equal(first?.isRemoved, true);
  assert.equal(first.pool.isClosed, true);
});

test('an endpoint that comes back is a new one', () => {
  const cluster = makeCluster();
  cluster.setEndpoints(listOf([at(1)]), systemRandom);
  const [first] = cluster.endpoints;
  cluster.setEndpoints(listOf([]), systemRandom);
  assert.equal(cluster.pick(systemRandom, 'x'), null);
  cluster.setEndpoints(listOf([at(1)]), systemRandom);
  assert.notEqual(cluster.endpoints[0], first);
  assert.equal(cluster.endpoints[0]?.pool.isClosed, false);
});

test('picks healthy endpoints only, and keeps the others', () => {
  const cluster = makeCluster();
  cluster.setEndpoints(
    listOf([at(1, { health: 'draining' }), at(2), at(3, { health: 'unhealthy' })]),
    systemRandom,
  );
  assert.deepEqual(new Set(picks(cluster, 9)), new Set([2]));
  assert.equal(cluster.endpoints.length, 3);
  assert.equal(cluster.endpoints[0]?.pool.isClosed, false);
});

test('an endpoint listed twice is one', () => {
  const cluster = makeCluster();
  cluster.setEndpoints(listOf([at(1), at(1, { weight: 2 }), at(2, { weight: 2 })]), systemRandom);
  assert.equal(cluster.endpoints.length, 2);
  assert.deepEqual(picks(cluster, 4).filter((port) => port === 1).length, 2);
});

test('a pool is made once for each endpoint, with its cluster', () => {
  const made: [string, string][] = [];
  const cluster = new Cluster(
    plain,
    new ClusterMetrics(new MetricRegistry(), 'c'),
    (owner, { address }) => {
      made.push([owner.name, address]);
      return new FakePool();
    },
    timers,
  );
  cluster.setEndpoints(listOf([at(1), at(80, { host: '::1' })]), systemRandom);
  cluster.setEndpoints(listOf([at(80, { host: '::1' }), at(1)]), systemRandom);
  assert.deepEqual(made, [
    ['c', '10.0.0.1:1'],
    ['c', '[::1]:80'],
  ]);
});

test('counts its endpoints under names that Envoy has', () => {
  const registry = new MetricRegistry();
  const cluster = makeCluster({}, registry);
  cluster.setEndpoints(
    listOf([at(1), at(2, { health: 'draining' }), at(3, { health: 'degraded' })]),
    systemRandom,
  );
  cluster.metrics.countResponse(200);
  const text = formatPrometheus(registry.collect());
  assert.match(text, /^envoy_cluster_membership_total\{envoy_cluster_name="c"\} 3$/m);
  assert.match(text, /^envoy_cluster_membership_healthy\{envoy_cluster_name="c"\} 1$/m);
  assert.match(text, /^envoy_cluster_membership_degraded\{envoy_cluster_name="c"\} 1$/m);
  assert.match(text, /^envoy_cluster_membership_excluded\{envoy_cluster_name="c"\} 1$/m);
  assert.match(
    text,
    /^envoy_cluster_upstream_rq_xx\{envoy_cluster_name="c",envoy_response_code_class="2"\} 1$/m,
  );
  assert.doesNotMatch(text, /code_class="0"/);
  cluster.close();
  assert.equal(formatPrometheus(registry.collect()), '');
});

test('an endpoint that becomes unhealthy loses its connections where the cluster says so', () => {
  for (const dropsConnectionsOfUnhealthy of [true, false]) {
    const cluster = makeCluster({ dropsConnectionsOfUnhealthy });
    cluster.setEndpoints(listOf([at(1), at(2)]), systemRandom);
    cluster.setEndpoints(listOf([at(1), at(2, { health: 'unhealthy' })]), systemRandom);
    assert.deepEqual(
      cluster.endpoints.map(({ pool }) => pool.hasDropped),
      [false, dropsConnectionsOfUnhealthy],
    );
  }
});

test('the connections of one priority are not those of the other', () => {
  const made: string[] = [];
  const cluster = new Cluster<FakePool>(
    plain,
    new ClusterMetrics(new MetricRegistry(), 'c'),
    (_owner, _endpoint, priority) => {
      made.push(priority);
      return new FakePool();
    },
    timers,
  );
  cluster.setEndpoints(listOf([at(1)]), systemRandom);
  const [first] = cluster.endpoints;
  assert.deepEqual(made, ['default']);
  assert.notEqual(first!.poolOf('high'), first!.poolOf('default'));
  assert.equal(first!.poolOf('high'), first!.poolOf('high'));
  cluster.close();
  assert.equal(first!.poolOf('high').isClosed, true);
});

test('closing removes all endpoints', () => {
  const cluster = makeCluster();
  cluster.setEndpoints(listOf([at(1)]), systemRandom);
  const [first] = cluster.endpoints;
  cluster.close();
  assert.equal(first?.pool.isClosed, true);
  assert.equal(cluster.pick(systemRandom, 'x'), null);
});

const authorities: readonly [string, { host: string; port: number } | null][] = [
  ['example.com', { host: 'example.com', port: 80 }],
  ['Example.com:8080', { host: 'example.com', port: 8080 }],
  ['[::1]:81', { host: '::1', port: 81 }],
  ['[2001:db8::1]', { host: '2001:db8::1', port: 80 }],
  ['127.0.0.1:65535', { host: '127.0.0.1', port: 65_535 }],
  ['', null],
  [':80', null],
  ['a:0', null],
  ['a:65536', null],
  ['a:b', null],
  ['::1', null],
  ['user@host', null],
  ['a/b', null],
  ['a b', null],
];
for (const [authority, expected] of authorities) {
  test(`authority ${JSON.stringify(authority)} is ${expected === null ? 'refused' : `${expected.host} ${expected.port}`}`, () => {
    assert.deepEqual(parseAuthority(authority), expected);
  });
}

test('a pass-through cluster picks by authority, and the same again', () => {
  const cluster = makeCluster({ isPassthrough: true });
  const first = cluster.pick(systemRandom, 'example.com');
  assert.equal(first?.address, 'example.com:80');
  assert.notEqual(cluster.pick(systemRandom, 'example.org'), first);
  assert.equal(cluster.pick(systemRandom, 'example.com'), first);
  assert.equal(cluster.pick(systemRandom, 'not a host'), null);
});

test('a pass-through cluster keeps the endpoints used last and removes the others', () => {
  const cluster = makeCluster({ isPassthrough: true });
  const kept = cluster.pick(systemRandom, 'kept');
  const dropped = cluster.pick(systemRandom, 'dropped');
  for (let i = 0; i < 255; i++) {
    cluster.pick(systemRandom, `h${i}`);
    cluster.pick(systemRandom, 'kept');
  }
  assert.equal(cluster.endpoints.length, 256);
  assert.equal(dropped?.pool.isClosed, true);
  assert.equal(dropped.isRemoved, true);
  assert.equal(kept?.isRemoved, false);
  assert.equal(cluster.pick(systemRandom, 'kept'), kept);
});

test('an endpoint that asks for other connections is another one, and has the old ones closed', () => {
  const usual = { sni: 'usual' } as unknown as NonNullable<ClusterConfig['tls']>;
  const transportMatches = [{ traits: { tlsMode: 'disabled' }, tls: null }];
  const cluster = makeCluster({ tls: usual, transportMatches });
  cluster.setEndpoints(listOf([at(1)]), systemRandom);
  const secure = cluster.endpoints[0]!;
  assert.equal(secure.tls, usual);
  cluster.setEndpoints(listOf([at(1, { traits: { tlsMode: 'disabled' } })]), systemRandom);
  const clear = cluster.endpoints[0]!;
  assert.equal(clear.tls, null);
  assert.ok(secure.isRemoved && secure.pool.isClosed && !clear.isRemoved);
  cluster.setEndpoints(listOf([at(1, { traits: { tlsMode: 'disabled' }, weight: 2 })]), systemRandom);
  assert.equal(cluster.endpoints[0], clear);
});
