import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { AccessLog } from '../access-log/access-log.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { WeightedCluster } from '../config/listener-config.ts';
import type { TrafficMetrics } from '../stats/traffic-metrics.ts';
import type { TcpMetrics } from './tcp-metrics.ts';

/** What relays need of their proxy. */
export interface TcpContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
}

/** One TCP proxy, decided when its configuration arrived. Durations of 0 mean "no limit". */
export interface TcpSettings {
  readonly clusters: readonly WeightedCluster<ClusterSlot<ConnectionPool>>[];
  readonly totalWeight: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  readonly maxConnectAttempts: number;
  /** `tunneling_config`: the CONNECT request that opens a stream for each connection; null for connections of their own. */
  readonly tunnel: OutgoingRequest | null;
  readonly metrics: TcpMetrics;
  readonly accessLogs: readonly AccessLog[];
  /** By caller and callee; null for a proxy that is no sidecar. */
  readonly traffic: Pick<TrafficMetrics, 'connectionsOf'> | null;
  /** Its clients are this machine's own. */
  readonly isOutbound: boolean;
}

/** The cluster for a new connection. */
export function pickCluster(settings: TcpSettings, random: Random): ClusterSlot<ConnectionPool> {
  const { clusters, totalWeight } = settings;
  let left = clusters.length === 1 ? 0 : random.uint32() % totalWeight;
  let index = 0;
  while (left >= clusters[index]!.weight) left -= clusters[index++]!.weight;
  return clusters[index]!.cluster;
}
