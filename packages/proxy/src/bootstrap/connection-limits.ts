import { TypeUrl } from '@heddle/xds';
import type { OverloadManager } from '@heddle/xds/api/envoy/config/overload/v3/overload.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { refuseExtension, unpackConfig } from '../config/unpack-config.ts';
import type { ConnectionLimits } from '../listener/connection-admission.ts';
import { type RuntimeLayer, runtimeKeys, runtimeValue } from './runtime.ts';

/**
 * How many connections the process takes: the overload manager's word before that of Envoy's older runtime keys. Accepted
 * without effect: `refresh_interval`, as nothing is polled.
 */
export function readConnectionLimits(
  manager: OverloadManager | undefined,
  runtime: readonly RuntimeLayer[],
  problems: ProblemList,
): ConnectionLimits {
  const byListener = new Map<string, number>();
  for (const key of runtime.flatMap(({ values }) => [...values.keys()])) {
    const listener = runtimeKeys.maxListenerConnections.exec(key)?.[1];
    const limit = listener === undefined ? null : limitOf(runtime, key, problems);
    if (listener !== undefined && limit !== null) byListener.set(listener, limit);
  }
  const total = limitOf(runtime, runtimeKeys.maxConnections, problems);
  return { total: monitoredTotal(manager, problems) ?? total, byListener };
}

function limitOf(runtime: readonly RuntimeLayer[], key: string, problems: ProblemList): number | null {
  const value = runtimeValue(runtime, key);
  if (value === null) return null;
  const limit = Number(value.text);
  if (Number.isSafeInteger(limit) && limit >= 0 && value.text !== '') return limit;
  problems.invalid(value.path, `"${value.text}" is not a number of connections`);
  return null;
}

function monitoredTotal(manager: OverloadManager | undefined, problems: ProblemList): number | null {
  let total: number | null = null;
  for (const [index, { name, configType }] of (manager?.resourceMonitors ?? []).entries()) {
    const place = `overload_manager.resource_monitors[${index}]`;
    const path = `${place}.typed_config`;
    const config = configType?.value;
    if (config?.typeUrl !== TypeUrl.downstreamConnections) {
      refuseExtension(name, config, place, problems);
      continue;
    }
    const monitor = unpackConfig(config, TypeUrl.downstreamConnections, path, problems);
    if (monitor === null) continue;
    if (total !== null) problems.invalid(place, 'there is another one of its kind');
    total = monitor.maxActiveDownstreamConnections;
    if (total < 1) problems.invalid(`${path}.max_active_downstream_connections`, 'must be at least 1');
  }
  return total;
}
