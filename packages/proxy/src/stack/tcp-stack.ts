import { AccessLog } from '../access-log/access-log.ts';
import type { LogFile } from '../access-log/log-file.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { ListenerConfig, TcpFilterConfig } from '../config/listener-config.ts';
import { connectRequest } from '../tcp/connect-request.ts';
import { TcpMetrics } from '../tcp/tcp-metrics.ts';
import type { TcpSettings } from '../tcp/tcp-settings.ts';
import type { StackEnvironment } from './http-stack.ts';

/** The settings of a TCP proxy and what has to be given back when its last connection is gone. */
export interface TcpStack {
  readonly settings: TcpSettings;
  close(): void;
}

/** Builds the settings of a TCP proxy: connection ─▶ TcpRelay ─▶ Cluster, Endpoint ─▶ ConnectionPool (a connection of its own). */
export function buildTcpStack(
  config: TcpFilterConfig<ConnectionPool>,
  direction: ListenerConfig<ConnectionPool>['direction'],
  environment: StackEnvironment,
): TcpStack {
  const { tcp, clusters } = config;
  const { registry, logFiles, context } = environment;
  const scope = registry.scope();
  const files: LogFile[] = [];
  const accessLogs = tcp.accessLogs.map((log) => {
    const file = logFiles.acquire(log.path);
    files.push(file);
    return new AccessLog(log, file, context.random);
  });
  const { idleTimeoutMs, maxConnectionDurationMs, maxConnectAttempts } = tcp;
  return {
    settings: {
      clusters,
      totalWeight: clusters.reduce((sum, { weight }) => sum + weight, 0),
      idleTimeoutMs,
      maxConnectionDurationMs,
      maxConnectAttempts,
      tunnel: tcp.tunneling === null ? null : connectRequest(tcp.tunneling),
      metrics: new TcpMetrics(scope, tcp.statPrefix),
      accessLogs,
      traffic: direction === 'inbound' ? environment.inboundTraffic : environment.outboundTraffic,
      isOutbound: direction === 'outbound',
    },
    close: () => {
      scope.close();
      for (const file of files) void logFiles.release(file);
    },
  };
}
