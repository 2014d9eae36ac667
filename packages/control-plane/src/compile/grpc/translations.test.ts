import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DeepPartial, TypeUrl, encodeMessage, packAny } from '@heddle/xds';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import { ClusterLoadAssignment } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint.ts';
import type { LbEndpoint } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { Route, VirtualHost } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { adsConfigSource, tlsValidation } from '../parts.ts';
import { grpcCluster } from './clusters.ts';
import { grpcEndpoints } from './endpoints.ts';
import { grpcRoutes } from './routes.ts';

const everything: DeepPartial<Route['match']> = { pathSpecifier: { $case: 'prefix', value: '/' } };
const toA = {
  $case: 'route' as const,
  value: { clusterSpecifier: { $case: 'cluster' as const, value: 'a' } },
};

function translated(routes: DeepPartial<Route>[], host: DeepPartial<VirtualHost> = {}) {
  const virtualHosts = [{ name: 'h', domains: ['*'], ...host, routes }];
  const { message, withheld } = grpcRoutes(
    encodeMessage(TypeUrl.routeConfiguration, { name: 'r', virtualHosts }),
  );
  const { virtualHosts: hosts } = RouteConfiguration.decode(message!);
  return { routes: hosts[0]!.routes, host: hosts[0]!, withheld };
}

/** What a route does, in a word. */
function actionOf({ action, _unknownFields }: Route): string {
  if (action !== undefined) return action.$case;
  // NonForwardingAction, empty.
  return _unknownFields?.[146]?.[0]?.[0] === 0 ? 'fails' : 'nothing';
}

describe('what gRPC is sent', () => {
  it('has routes that it can’t follow fail, and names what they would have done', () => {
    const { routes, withheld } = translated([
      {
        name: 'redirect',
        match: everything,
        action: { $case: 'redirect', value: {} },
      },
      { name: 'answer', match: everything, action: { $case: 'directResponse', value: { status: 503 } } },
      {
        name: 'nothing',
        match: everything,
        action: {
          $case: 'route',
          value: {
            clusterSpecifier: { $case: 'weightedClusters', value: { clusters: [{ name: 'a', weight: 0 }] } },
          },
        },
      },
      { name: 'good', match: everything, action: toA },
    ]);
    assert.deepEqual(
      routes.map((route) => [route.name, actionOf(route)]),
      [
        ['redirect', 'fails'],
        ['answer', 'fails'],
        ['nothing', 'fails'],
        ['good', 'route'],
      ],
    );
    assert.deepEqual(withheld, ['redirects', 'responses of the proxy itself']);
  });

  it('has no routes that no call matches, and prefixes of whole segments as two', () => {
    const method = (value: string): DeepPartial<Route> => ({
      name: value,
      match: {
        ...everything,
        headers: [
          {
            name: ':method',
            headerMatchSpecifier: {
              $case: 'stringMatch',
              value: { matchPattern: { $case: 'exact', value } },
            },
          },
        ],
      },
      action: toA,
    });
    const { routes, withheld } = translated([
      method('GET'),
      method('POST'),
      { name: 'query', match: { ...everything, queryParameters: [{ name: 'q' }] }, action: toA },
      { name: 'host', match: { ...everything, headers: [{ name: ':authority' }] }, action: toA },
      {
        name: 'segments',
        match: { pathSpecifier: { $case: 'pathSeparatedPrefix', value: '/a' } },
        action: toA,
      },
    ]);
    assert.deepEqual(
      routes.map(({ name, match }) => [name, match?.headers.length, match?.pathSpecifier]),
      [
        ['POST', 0, { $case: 'prefix', value: '/' }],
        ['segments', 0, { $case: 'path', value: '/a' }],
        ['segments', 0, { $case: 'prefix', value: '/a/' }],
      ],
    );
    assert.deepEqual(withheld, ['matches of :authority']);
  });

  it('has time limits and retries where gRPC looks for them, and names the rest', () => {
    const seconds = { seconds: 3, nanos: 0 };
    const { routes, host, withheld } = translated(
      [
        {
          match: everything,
          requestHeadersToRemove: ['x'],
          typedPerFilterConfig: { f: { typeUrl: 'x', value: Buffer.alloc(0) } },
          action: {
            $case: 'route',
            value: {
              ...toA.value,
              timeout: seconds,
              retryPolicy: { retryOn: 'connect-failure, unavailable,5xx', numRetries: 4 },
              prefixRewrite: '/b',
              requestMirrorPolicies: [{ cluster: 'm' }],
            },
          },
        },
      ],
      { retryPolicy: { retryOn: 'connect-failure' } },
    );
    assert.equal(host.retryPolicy, undefined);
    const action = routes[0]?.action?.$case === 'route' ? routes[0].action.value : assert.fail();
    assert.deepEqual(action.maxStreamDuration?.maxStreamDuration, { ...seconds, _unknownFields: undefined });
    assert.deepEqual([action.retryPolicy?.retryOn, action.retryPolicy?.numRetries], ['unavailable', 4]);
    assert.equal(action.prefixRewrite, '');
    assert.deepEqual(withheld, ['changes of headers', 'filters of routes', 'mirroring', 'rewriting']);
  });

  it('has clusters only with the security that was asked for', () => {
    const cluster = (changes: DeepPartial<Cluster>) =>
      grpcCluster(
        encodeMessage(TypeUrl.cluster, {
          name: 'c',
          clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
          edsClusterConfig: { edsConfig: adsConfigSource },
          ...changes,
        }),
      );
    const tls = (secret: string): DeepPartial<Cluster> => ({
      transportSocket: {
        name: 'envoy.transport_sockets.tls',
        configType: {
          $case: 'typedConfig',
          value: packAny(TypeUrl.upstreamTlsContext, {
            commonTlsContext: {
              tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig: adsConfigSource }],
              validationContextType: tlsValidation(['spiffe://cluster.local/ns/a/sa/b']),
            },
          }),
        },
      },
    });
    const { message } = cluster(tls('default'));
    const text = Buffer.from(message!).toString('latin1');
    for (const part of ['spiffe://cluster.local/ns/a/sa/b', 'ROOTCA', 'default'])
      assert.ok(text.includes(part), part);
    assert.equal(cluster(tls('another')).message, null);
    const raw = packAny(TypeUrl.rawBuffer, {});
    const plain: DeepPartial<Cluster> = {
      transportSocket: { name: 'raw', configType: { $case: 'typedConfig', value: raw } },
    };
    assert.equal(cluster(plain).message, null);
    assert.equal(
      cluster({ clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STRICT_DNS } }).message,
      null,
    );
    const least = cluster({ lbPolicy: Cluster_LbPolicy.LEAST_REQUEST });
    assert.equal(Cluster.decode(least.message!).lbPolicy, Cluster_LbPolicy.ROUND_ROBIN);
    assert.deepEqual(least.withheld, ['load balancing other than round robin and ring hash']);
  });

  it('has endpoints with localities, weights, and priorities without gaps, each address once', () => {
    const endpoint = (
      address: string,
      healthStatus: HealthStatus = HealthStatus.HEALTHY,
    ): DeepPartial<LbEndpoint> => ({
      healthStatus,
      hostIdentifier: {
        $case: 'endpoint',
        value: {
          address: {
            address: {
              $case: 'socketAddress',
              value: { address, portSpecifier: { $case: 'portValue', value: 80 } },
            },
          },
        },
      },
    });
    const bytes = encodeMessage(TypeUrl.clusterLoadAssignment, {
      clusterName: 'c',
      endpoints: [
        { priority: 5, lbEndpoints: [endpoint('10.0.0.3')] },
        {
          lbEndpoints: [endpoint('10.0.0.1'), endpoint('10.0.0.9', HealthStatus.UNHEALTHY), endpoint('name')],
        },
        { lbEndpoints: [endpoint('10.0.0.1'), endpoint('10.0.0.2')] },
        { priority: 2, lbEndpoints: [] },
      ],
    });
    const { clusterName, endpoints } = ClusterLoadAssignment.decode(grpcEndpoints(bytes));
    assert.equal(clusterName, 'c');
    assert.deepEqual(
      endpoints.map(({ priority, loadBalancingWeight, locality, lbEndpoints }) => [
        priority,
        loadBalancingWeight,
        locality !== undefined,
        lbEndpoints.length,
      ]),
      [
        [0, 2, true, 2],
        [1, 1, true, 1],
      ],
    );
  });
});
