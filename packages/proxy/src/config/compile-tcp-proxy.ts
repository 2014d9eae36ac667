import { isHeaderName, isHeaderValue } from '../routing/header-syntax.ts';
import { Field } from '../codec/field.ts';
import type {
  TcpProxy,
  TcpProxy_TunnelingConfig,
} from '@heddle/xds/api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { compileAccessLogs } from './compile-access-log.ts';
import { durationMs } from './duration.ts';
import type { TcpProxyConfig, TunnelingConfig, WeightedCluster } from './listener-config.ts';
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
    tunneling: compileTunneling(proxy.tunnelingConfig, `${path}.tunneling_config`, problems),
    accessLogs: compileAccessLogs(proxy.accessLog, `${path}.access_log`, problems),
  };
  return { tcp, clusters: compileClusters(proxy, path, problems) };
}

function compileTunneling(
  config: TcpProxy_TunnelingConfig | undefined,
  path: string,
  problems: ProblemList,
): TunnelingConfig | null {
  if (config === undefined) return null;
  const { hostname, headersToAdd } = config;
  if (!/^(?:[^\s:/[\]@]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/.test(hostname)) {
    problems.invalid(`${path}.hostname`, `"${hostname}" is not host:port`);
  }
  for (const field of ['usePost', 'propagateResponseHeaders', 'propagateResponseTrailers'] as const) {
    if (config[field]) problems.unsupported(`${path}.${snakeCase(field)}`);
  }
  if (config.postPath !== '') problems.unsupported(`${path}.post_path`);
  const fields: Field[] = [];
  for (const [index, { header }] of headersToAdd.entries()) {
    const { key: name = '', value = '' } = header ?? {};
    const place = `${path}.headers_to_add[${index}].header`;
    if (!isHeaderName(name)) problems.invalid(`${place}.key`, `"${name}" is no header name`);
    else if (!isHeaderValue(value))
      problems.invalid(`${place}.value`, 'holds characters that no header value may hold');
    else if (value.includes('%'))
      problems.unsupported(`${place}.value`, 'a format operator', 'give the value itself');
    else fields.push(new Field(name.toLowerCase(), value));
  }
  return { authority: hostname, fields };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
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
