/** What DestinationRules say of clusters: from the model's policies to Envoy's fields. */
import type { ConnectionPolicy, TrafficPolicy } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import {
  Cluster_LbPolicy as LbPolicy,
  type Cluster,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { CircuitBreakers_Thresholds } from '@heddle/xds/api/envoy/config/cluster/v3/circuit_breaker.ts';
import type {
  Http2ProtocolOptions,
  HttpProtocolOptions,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import { duration } from './route-action.ts';

const unlimited = 0xffff_ffff;

/** As Istio: no limits but those that a DestinationRule sets, and never an endpoint that is known to be unhealthy. */
export const meshDefaults: DeepPartial<Cluster> = {
  circuitBreakers: { thresholds: [thresholds(null)] },
  commonLbConfig: { healthyPanicThreshold: { value: 0 } },
};

/** The fields that a policy sets, over a cluster's own; none where there is no policy. */
export function policyFields(policy: TrafficPolicy | null): DeepPartial<Cluster> {
  if (policy === null) return {};
  const { balancer, connections, retryBudget } = policy;
  const { connectTimeoutMs = null, keepaliveTimeMs = null } = connections ?? {};
  return {
    ...(balancer === null ? {} : { lbPolicy: lbPolicies[balancer.kind] }),
    ...(connections === null && retryBudget === null
      ? {}
      : { circuitBreakers: { thresholds: [thresholds(policy)] } }),
    ...(connectTimeoutMs === null ? {} : { connectTimeout: duration(connectTimeoutMs) }),
    ...(keepaliveTimeMs === null
      ? {}
      : {
          upstreamConnectionOptions: {
            tcpKeepalive: { keepaliveTime: Math.max(1, Math.round(keepaliveTimeMs / 1000)) },
          },
        }),
  };
}

const lbPolicies = {
  'round-robin': LbPolicy.ROUND_ROBIN,
  'least-request': LbPolicy.LEAST_REQUEST,
  random: LbPolicy.RANDOM,
};

function thresholds(policy: TrafficPolicy | null): DeepPartial<CircuitBreakers_Thresholds> {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries } = policy?.connections ?? {};
  const budget = policy?.retryBudget ?? null;
  return {
    maxConnections: maxConnections ?? unlimited,
    maxPendingRequests: maxPendingRequests ?? unlimited,
    maxRequests: maxRequests ?? unlimited,
    maxRetries: maxRetries ?? unlimited,
    ...(budget === null
      ? {}
      : {
          retryBudget: {
            budgetPercent: { value: budget.percent },
            minRetryConcurrency: budget.minConcurrency,
          },
        }),
  };
}

/** How long connections live, and how many requests they serve; `ageSeconds` at most. */
export function connectionOptions(
  connections: ConnectionPolicy | null,
  ageSeconds: number | null,
): DeepPartial<HttpProtocolOptions> {
  const {
    maxConnectionDurationMs = null,
    idleTimeoutMs = null,
    maxRequestsPerConnection = null,
  } = connections ?? {};
  const ages = [ageSeconds === null ? null : ageSeconds * 1000, maxConnectionDurationMs];
  const age = Math.min(...ages.filter((value) => value !== null));
  return {
    ...(age === Infinity ? {} : { maxConnectionDuration: duration(age) }),
    ...(idleTimeoutMs === null ? {} : { idleTimeout: duration(idleTimeoutMs) }),
    ...(maxRequestsPerConnection === null ? {} : { maxRequestsPerConnection }),
  };
}

/** What of a policy is about HTTP/2; `maxStreams` is what the link has without it. */
export function http2Options(
  connections: ConnectionPolicy | null,
  maxStreams: number | null,
): DeepPartial<Http2ProtocolOptions> {
  const { maxConcurrentStreams = null, http2KeepaliveMs = null } = connections ?? {};
  const streams = maxConcurrentStreams ?? maxStreams;
  return {
    ...(streams === null ? {} : { maxConcurrentStreams: Math.min(streams, maxStreams ?? streams) }),
    ...(http2KeepaliveMs === null
      ? {}
      : {
          connectionKeepalive: {
            interval: duration(http2KeepaliveMs.interval),
            timeout: duration(http2KeepaliveMs.timeout),
          },
        }),
  };
}
