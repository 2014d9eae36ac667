import type { TcpProxy } from '@heddle/xds/api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { compileAccessLogs } from './compile-access-log.ts';
import { durationMs } from './duration.ts';
import type { TcpProxyConfig, WeightedCluster } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

/** A TCP proxy as its filter describes it. */
export interface CompiledTcp {
  readonly tcp: TcpProxyConfig;
  /** By name. */
  readonly clusters: readonly WeightedCluster<string>[];
}

/** Envoy's default. */
const defaultIdleTimeoutMs = 3_600_000;

/** Compiles a TCP proxy that stands at `path`. */
export function compileTcpProxy(proxy: TcpProxy, path: string, problems: ProblemList): CompiledTcp {
  if (proxy.statPrefix === '') problems.invalid(`${path}.stat_prefix`, 'must not be empty');
  const maxConnectAttempts = proxy.maxConnectAttempts ?? 1;
  if (maxConnectAttempts < 1) problems.invalid(`${path}.max_connect_attempts`, 'must be at least 1');
  const duration = proxy.maxDownstreamConnectionDuration;
  const durationPath = `${path}.max_downstream_connection_duration`;
  const maxConnectionDurationMs = durationMs(duration, 0, durationPath, problems);
  if (duration !== undefined && maxConnectionDurationMs < 1)
    problems.invalid(durationPath, 'must be at least 1 ms');
  const tcp: TcpProxyConfig = {
    statPrefix: proxy.statPrefix,
    idleTimeoutMs: durationMs(proxy.idleTimeout, defaultIdleTimeoutMs, `${path}.idle_timeout`, problems),
    maxConnectionDurationMs,
    maxConnectAttempts,
    accessLogs: compileAccessLogs(proxy.accessLog, `${path}.access_log`, problems),
  };
  return { tcp, clusters: compileClusters(proxy, path, problems) };
}

function compileClusters(proxy: TcpProxy, path: string, problems: ProblemList): WeightedCluster<string>[] {
  const specifier = proxy.clusterSpecifier;
  if (specifier === undefined) {
    problems.invalid(path, 'needs one of cluster, weighted_clusters');
    return [];
  }
  if (specifier.$case === 'cluster') {
    if (specifier.value === '') problems.invalid(`${path}.cluster`, 'must not be empty');
    return [{ cluster: specifier.value, weight: 1 }];
  }
  const place = `${path}.weighted_clusters.clusters`;
  const { clusters } = specifier.value;
  if (clusters.length === 0) problems.invalid(place, 'must not be empty');
  for (const [index, { name, weight }] of clusters.entries()) {
    if (name === '') problems.invalid(`${place}[${index}].name`, 'must not be empty');
    if (weight < 1) problems.invalid(`${place}[${index}].weight`, 'must be at least 1');
  }
  return clusters.map(({ name, weight }) => ({ cluster: name, weight }));
}
