import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionPolicy, TrafficPolicy } from '@heddle/model';
import { decodeMessage, TypeUrl, unpackAny } from '@heddle/xds';
import { Cluster_LbPolicy, type Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { HttpProtocolOptions } from '@heddle/xds/api/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import { outboundCluster } from './clusters.ts';

const nothing: TrafficPolicy = { balancer: null, connections: null, tls: null, retryBudget: null };
const noConnections: ConnectionPolicy = {
  maxConnections: null,
  connectTimeoutMs: null,
  keepaliveTimeMs: null,
  maxConnectionDurationMs: null,
  maxPendingRequests: null,
  maxRequests: null,
  maxRequestsPerConnection: null,
  maxRetries: null,
  idleTimeoutMs: null,
  maxConcurrentStreams: null,
  http2KeepaliveMs: null,
};

function clusterWith(policy: Partial<TrafficPolicy>, protocol = 'http'): Cluster {
  const plan = { name: 'outbound|80||a', port: 80, subset: '', labels: {}, protocol };
  const bytes = outboundCluster({ ...plan, policy: { ...nothing, ...policy } }, 'a', ['spiffe://x/y']);
  const decoded = decodeMessage(TypeUrl.cluster, bytes);
  return decoded.ok ? decoded.value.message : assert.fail();
}

function optionsOf({ typedExtensionProtocolOptions: all }: Cluster): HttpProtocolOptions {
  const [any = assert.fail('no options')] = Object.values(all);
  const options = unpackAny(any, TypeUrl.upstreamHttpProtocolOptions);
  return options.ok ? options.value : assert.fail();
}

test('chooses the algorithm', () => {
  assert.equal(clusterWith({}).lbPolicy, Cluster_LbPolicy.ROUND_ROBIN);
  assert.equal(clusterWith({ balancer: { kind: 'random' } }).lbPolicy, Cluster_LbPolicy.RANDOM);
  assert.equal(clusterWith({ balancer: { kind: 'least-request' } }).lbPolicy, Cluster_LbPolicy.LEAST_REQUEST);
});

test('limits what is let through, and nothing that nobody limits', () => {
  const { circuitBreakers } = clusterWith({
    connections: { ...noConnections, maxConnections: 3, maxRequests: 4 },
    retryBudget: { percent: 25, minConcurrency: 2 },
  });
  const [limits] = circuitBreakers?.thresholds ?? [];
  assert.deepEqual(
    [limits?.maxConnections, limits?.maxRequests, limits?.maxPendingRequests],
    [3, 4, 0xffff_ffff],
  );
  assert.deepEqual(
    [limits?.retryBudget?.budgetPercent?.value, limits?.retryBudget?.minRetryConcurrency],
    [25, 2],
  );
});

test('lets connections live as long as both the link and the rule allow', () => {
  const age = (maxConnectionDurationMs: number) =>
    optionsOf(clusterWith({ connections: { ...noConnections, maxConnectionDurationMs } }))
      .commonHttpProtocolOptions?.maxConnectionDuration?.seconds;
  assert.deepEqual([age(60_000), age(7_200_000)], [60, 3600]);
});

test('gives links of either kind their options', () => {
  const connections = {
    ...noConnections,
    connectTimeoutMs: 1500,
    keepaliveTimeMs: 300,
    idleTimeoutMs: 5000,
    maxConcurrentStreams: 1000,
    http2KeepaliveMs: { interval: 2000, timeout: 1000 },
  };
  for (const protocol of ['http', 'tcp']) {
    const cluster = clusterWith({ connections }, protocol);
    assert.deepEqual([cluster.connectTimeout?.seconds, cluster.connectTimeout?.nanos], [1, 500_000_000]);
    assert.equal(cluster.upstreamConnectionOptions?.tcpKeepalive?.keepaliveTime, 1);
    const { commonHttpProtocolOptions, upstreamProtocolOptions: specific } = optionsOf(cluster);
    assert.equal(commonHttpProtocolOptions?.idleTimeout?.seconds, 5);
    const http2 =
      specific?.$case === 'autoConfig'
        ? specific.value.http2ProtocolOptions
        : specific?.$case === 'explicitHttpConfig' && specific.value.protocolConfig?.value;
    assert.ok(http2 && 'maxConcurrentStreams' in http2);
    assert.equal(http2.maxConcurrentStreams, 128, 'never more than links share');
    assert.equal(http2.connectionKeepalive?.interval?.seconds, 2);
  }
});

test('secures links as the rule says', () => {
  assert.equal(
    clusterWith({ tls: { mode: 'DISABLE', sni: null, subjectAltNames: [] } }).transportSocket,
    undefined,
  );
  const { transportSocket } = clusterWith({
    tls: { mode: 'ISTIO_MUTUAL', sni: 'other', subjectAltNames: ['spiffe://x/z'] },
  });
  const tls = unpackAny(transportSocket?.configType?.value ?? assert.fail(), TypeUrl.upstreamTlsContext);
  assert.ok(tls.ok);
  assert.equal(tls.value.sni, 'other');
  const validation = tls.value.commonTlsContext?.validationContextType;
  assert.ok(validation?.$case === 'combinedValidationContext');
  const [name] = validation.value.defaultValidationContext?.matchTypedSubjectAltNames ?? [];
  assert.equal(name?.matcher?.matchPattern?.value, 'spiffe://x/z');
});
