import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeepPartial, encodeMessage, type MessageOf, packAny, TypeUrl } from '@heddle/xds';
import { type CompiledCluster, compileCluster } from './compile-cluster.ts';
import { ProblemList } from './problem-list.ts';
import { decodeResource } from './unpack-config.ts';
import { defaultClientSettings } from '../http1/client-connection.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';

type ClusterInput = DeepPartial<MessageOf<typeof TypeUrl.cluster>>;

function compile(changes: ClusterInput): { compiled: CompiledCluster | null; problems: readonly string[] } {
  const problems = new ProblemList();
  const bytes = encodeMessage(TypeUrl.cluster, { name: 'c', loadAssignment: {}, ...changes });
  const message = decodeResource(TypeUrl.cluster, bytes, problems);
  const compiled = message === null ? null : compileCluster(message, problems);
  return { compiled, problems: problems.problems.map(({ path, message: text }) => `${path}: ${text}`) };
}

function endpoint(address: string, port: number, more: object = {}) {
  const socket = { address, portSpecifier: { $case: 'portValue', value: port } } as const;
  return {
    hostIdentifier: {
      $case: 'endpoint',
      value: { address: { address: { $case: 'socketAddress', value: socket } } },
    } as const,
    ...more,
  };
}

const ads = { configSourceSpecifier: { $case: 'ads', value: {} } } as const;

const defaultLimits = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  retryBudget: null,
  maxConnectionsPerEndpoint: 0xffff_ffff,
  tracksRemaining: false,
};

test("has Envoy's defaults: static, round robin, 5 s to connect", () => {
  const { compiled, problems } = compile({});
  assert.deepEqual(problems, []);
  assert.deepEqual(compiled, {
    config: {
      name: 'c',
      connections: {
        connectTimeoutMs: 5000,
        keepAliveMs: null,
        idleTimeoutMs: 3_600_000,
        maxDurationMs: 0,
        maxRequests: 0,
        protocol: 'http1',
        responses: defaultClientSettings,
        http2: { ...defaultHttp2Options, resetsStreamOnInvalidMessage: false, flushTimeoutMs: 0 },
      },
      breakers: { default: defaultLimits, high: defaultLimits },
      source: null,
      proxyProtocol: null,
      tls: null,
      transportMatches: [],
      isPassthrough: false,
      dropsConnectionsOfUnhealthy: false,
      originalDestination: null,
      dns: null,
      balancing: {
        policy: 'round-robin',
        choiceCount: 2,
        panicThresholdPercent: 50,
        ringSize: { minimum: 1024, maximum: 8_388_608 },
        tableSize: 65_537,
      },
    },
    edsName: null,
    endpoints: { endpoints: [], overprovisioningPercent: 140 },
  });
});

test('reads endpoints with weight and health', () => {
  const { compiled, problems } = compile({
    loadAssignment: {
      endpoints: [
        {
          locality: { region: 'a' },
          lbEndpoints: [
            endpoint('10.0.0.1', 1),
            endpoint('::1', 2, { loadBalancingWeight: 3, healthStatus: 1 }),
          ],
        },
        {
          lbEndpoints: [2, 3, 4, 5].map((healthStatus, i) => endpoint('10.0.0.2', i, { healthStatus })),
        },
      ],
    },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    compiled?.endpoints?.endpoints.map(
      ({ host, port, weight, health }) => `${host} ${port} ${weight} ${health}`,
    ),
    [
      '10.0.0.1 1 1 healthy',
      '::1 2 3 healthy',
      '10.0.0.2 0 1 unhealthy',
      '10.0.0.2 1 1 draining',
      '10.0.0.2 2 1 unhealthy',
      '10.0.0.2 3 1 degraded',
    ],
  );
});

test('the name at EDS is the service name, or else the cluster name', () => {
  const eds = (serviceName: string): ClusterInput => ({
    name: 'c',
    clusterDiscoveryType: { $case: 'type', value: 3 },
    edsClusterConfig: { edsConfig: ads, serviceName },
  });
  const edsName = (serviceName: string): string | null | undefined => {
    const problems = new ProblemList();
    const message = decodeResource(
      TypeUrl.cluster,
      encodeMessage(TypeUrl.cluster, eds(serviceName)),
      problems,
    );
    return message === null ? undefined : compileCluster(message, problems).edsName;
  };
  assert.equal(edsName('s'), 's');
  assert.equal(edsName(''), 'c');
});

const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const refusals: readonly [string, ClusterInput][] = [
  [
    'load_assignment: must have exactly one endpoint with type LOGICAL_DNS',
    { clusterDiscoveryType: { $case: 'type', value: 2 } },
  ],
  [
    'load_assignment: does not go with type ORIGINAL_DST',
    { clusterDiscoveryType: { $case: 'type', value: 4 }, lbPolicy: 6 },
  ],
  [
    'lb_policy: ROUND_ROBIN does not go with type ORIGINAL_DST',
    { clusterDiscoveryType: { $case: 'type', value: 4 }, loadAssignment: undefined },
  ],
  ['lb_policy: CLUSTER_PROVIDED does not go with this type of cluster', { lbPolicy: 6 }],
  ['lb_policy: LOAD_BALANCING_POLICY_CONFIG is not supported yet', { lbPolicy: 7 }],
  [
    'ring_hash_lb_config.hash_function: MURMUR_HASH_2 is not supported yet',
    { lbPolicy: 2, lbConfig: { $case: 'ringHashLbConfig', value: { hashFunction: 1 } } },
  ],
  [
    'ring_hash_lb_config.minimum_ring_size: must not exceed maximum_ring_size',
    {
      lbPolicy: 2,
      lbConfig: { $case: 'ringHashLbConfig', value: { minimumRingSize: 9, maximumRingSize: 8 } },
    },
  ],
  [
    'maglev_lb_config.table_size: must be a prime number',
    { lbPolicy: 5, lbConfig: { $case: 'maglevLbConfig', value: { tableSize: 100 } } },
  ],
  [
    'least_request_lb_config.choice_count: must be 2 or more',
    { lbPolicy: 1, lbConfig: { $case: 'leastRequestLbConfig', value: { choiceCount: 1 } } },
  ],
  [
    'original_dst_lb_config: goes with type ORIGINAL_DST only',
    { lbConfig: { $case: 'originalDstLbConfig', value: {} } },
  ],
  [
    'common_lb_config.healthy_panic_threshold: must be 0 to 100',
    { commonLbConfig: { healthyPanicThreshold: { value: 101 } } },
  ],
  [
    'common_lb_config.close_connections_on_host_set_change: is not supported yet',
    { commonLbConfig: { closeConnectionsOnHostSetChange: true } },
  ],
  [
    'dns_refresh_rate: must be at least 1 ms',
    { clusterDiscoveryType: { $case: 'type', value: 1 }, dnsRefreshRate: { seconds: 0, nanos: 0 } },
  ],
  [
    'dns_failure_refresh_rate.max_interval: must not be less than base_interval',
    {
      clusterDiscoveryType: { $case: 'type', value: 1 },
      dnsFailureRefreshRate: {
        baseInterval: { seconds: 2, nanos: 0 },
        maxInterval: { seconds: 1, nanos: 0 },
      },
    },
  ],
  [
    'load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: "a..b" is no host name',
    {
      clusterDiscoveryType: { $case: 'type', value: 1 },
      loadAssignment: { endpoints: [{ lbEndpoints: [endpoint('a..b', 80)] }] },
    },
  ],
  [
    'load_assignment.endpoints: priority 2 is used, 1 is not',
    {
      loadAssignment: {
        endpoints: [{ lbEndpoints: [] }, { priority: 2, lbEndpoints: [endpoint('10.0.0.1', 80)] }],
      },
    },
  ],
  [
    'cluster_type: the extension envoy.clusters.aggregate is not supported yet',
    {
      clusterDiscoveryType: { $case: 'clusterType', value: { name: 'envoy.clusters.aggregate' } },
      lbPolicy: 6,
    },
  ],
  [
    'lb_policy: ROUND_ROBIN does not go with envoy.clusters.dynamic_forward_proxy',
    {
      clusterDiscoveryType: { $case: 'clusterType', value: { name: 'envoy.clusters.dynamic_forward_proxy' } },
    },
  ],
  [
    'circuit_breakers.thresholds[0].retry_budget.budget_percent: must be 0 to 100',
    { circuitBreakers: { thresholds: [{ retryBudget: { budgetPercent: { value: 101 } } }] } },
  ],
  [
    'circuit_breakers.per_host_thresholds[0].max_requests: only max_connections goes here',
    { circuitBreakers: { perHostThresholds: [{ maxRequests: 4 }] } },
  ],
  [
    'upstream_connection_options.set_local_interface_name_on_upstream_connections: is not supported yet',
    { upstreamConnectionOptions: { setLocalInterfaceNameOnUpstreamConnections: true } },
  ],
  [
    'transport_socket: auto_config goes by what TLS agrees on (ALPN): it needs TLS',
    {
      typedExtensionProtocolOptions: {
        [httpOptions]: packAny(TypeUrl.upstreamHttpProtocolOptions, {
          upstreamProtocolOptions: { $case: 'autoConfig', value: {} },
        }),
      },
    },
  ],
  ['connect_timeout: must be more than 0', { connectTimeout: { seconds: 0, nanos: 0 } }],
  [
    'load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: "reviews" is no IP address',
    { loadAssignment: { endpoints: [{ lbEndpoints: [endpoint('reviews', 80)] }] } },
  ],
  [
    'load_assignment.endpoints[0].lb_endpoints[0].load_balancing_weight: must be 1 or more',
    {
      loadAssignment: {
        endpoints: [{ lbEndpoints: [endpoint('10.0.0.1', 80, { loadBalancingWeight: 0 })] }],
      },
    },
  ],
  [
    'eds_cluster_config: goes with type EDS only',
    { edsClusterConfig: { edsConfig: { configSourceSpecifier: { $case: 'ads', value: {} } } } },
  ],
  [
    'eds_cluster_config.eds_config: needs ads',
    { clusterDiscoveryType: { $case: 'type', value: 3 }, loadAssignment: undefined },
  ],
];
for (const [problem, changes] of refusals) {
  test(`refuses ${problem}`, () => assert.deepEqual(compile(changes).problems, [problem]));
}

test('reads circuit breakers of both priorities, the first of two for one', () => {
  const { compiled, problems } = compile({
    circuitBreakers: {
      thresholds: [
        { maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRetries: 4, trackRemaining: true },
        { maxConnections: 9 },
        { priority: 1, maxRequests: 4, retryBudget: { minRetryConcurrency: 5 } },
      ],
      perHostThresholds: [{ maxConnections: 5 }],
    },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(compiled?.config.breakers, {
    default: {
      maxConnections: 1,
      maxPendingRequests: 2,
      maxRequests: 3,
      maxRetries: 4,
      retryBudget: null,
      maxConnectionsPerEndpoint: 5,
      tracksRemaining: true,
    },
    high: { ...defaultLimits, maxRequests: 4, retryBudget: { percent: 20, minConcurrency: 5 } },
  });
});

test('reads DNS clusters', () => {
  const { compiled, problems } = compile({
    clusterDiscoveryType: { $case: 'type', value: 1 },
    dnsLookupFamily: 3,
    respectDnsTtl: true,
    dnsFailureRefreshRate: { baseInterval: { seconds: 1, nanos: 0 } },
    dnsJitter: { seconds: 0, nanos: 5e6 },
    loadAssignment: { endpoints: [{ lbEndpoints: [endpoint('Reviews.test.', 80)] }] },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(compiled?.config.dns, {
    family: 'v4-preferred',
    refreshMs: 5000,
    respectsTtl: true,
    failureBaseMs: 1000,
    failureMaxMs: 10_000,
    jitterMs: 5,
    isLogical: false,
    waitsForFirst: true,
  });
  assert.equal(compiled.endpoints?.endpoints[0]?.host, 'Reviews.test.');
});

test('reads original-destination clusters', () => {
  const originalDst = (value: object): ClusterInput => ({
    clusterDiscoveryType: { $case: 'type', value: 4 },
    lbPolicy: 6,
    loadAssignment: undefined,
    lbConfig: { $case: 'originalDstLbConfig', value },
  });
  assert.deepEqual(compile(originalDst({})).compiled?.config.originalDestination, {
    headerName: null,
    portOverride: 0,
    cleanupMs: 5000,
  });
  assert.deepEqual(
    compile(originalDst({ useHttpHeader: true, upstreamPortOverride: 15_006 })).compiled?.config
      .originalDestination,
    { headerName: 'x-envoy-original-dst-host', portOverride: 15_006, cleanupMs: 5000 },
  );
});

test('reads Unix sockets and priorities', () => {
  const pipe = (path: string) => ({
    hostIdentifier: {
      $case: 'endpoint',
      value: { address: { address: { $case: 'pipe', value: { path } } } },
    },
  });
  const { compiled, problems } = compile({
    loadAssignment: {
      endpoints: [{ lbEndpoints: [pipe('/run/app')] }, { priority: 1, lbEndpoints: [pipe('@app')] }],
    } as ClusterInput['loadAssignment'],
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    compiled?.endpoints?.endpoints.map(({ host, port, priority }) => [host, port, priority]),
    [
      ['/run/app', 0, 0],
      ['\0app', 0, 1],
    ],
  );
});

test('connects from the address that the bind configuration names, and from no port of its own', () => {
  const from = (address: string, port: number): ClusterInput => ({
    upstreamBindConfig: {
      sourceAddress: { address, portSpecifier: { $case: 'portValue', value: port } },
    },
  });
  const { compiled, problems } = compile(from('127.0.0.6', 0));
  assert.deepEqual(problems, []);
  assert.deepEqual(compiled?.config.source, { host: '127.0.0.6', isTransparent: false, mark: 0 });
  assert.match(
    compile(from('127.0.0.6', 99)).problems.join(),
    /upstream_bind_config\.source_address\.port_value/,
  );
  assert.match(compile(from('a.example', 0)).problems.join(), /"a\.example" is no IP address/);
});
