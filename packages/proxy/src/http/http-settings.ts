import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { RequestIds } from '@heddle/telemetry';
import type { GrpcStatsRules } from '../grpc/call-metrics.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import type { Field } from '../codec/field.ts';
import type { ServerSettings } from '../http1/server-settings.ts';
import type { FlushQueue } from '../http2/flush-queue.ts';
import type { Http2ServerSettings } from '../http2/served-http2-connection.ts';
import type { UpgradeRules } from '../routing/route-match.ts';
import type { RouteTableSlot } from '../routing/route-table.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { HttpFilter } from './http-filter.ts';
import type { HttpDate } from './http-date.ts';
import type { TrafficMetrics } from '../stats/traffic-metrics.ts';
import type { LocalReplyRules } from './local-reply-rules.ts';
import type { RequestRules } from './request-rules.ts';

/** Told of each finished exchange: metrics by peer, access logs. */
export interface ExchangeObserver {
  onFinished(exchange: ExchangeRecord): void;
}

/** Where gRPC calls are counted. */
export interface CallCounting {
  /** `grpc_stats`, by method; calls that came as gRPC-Web are counted besides, whatever it says; null where the filter isn't there. */
  readonly stats: GrpcStatsRules | null;
  /** By caller and callee; null for a proxy that is no sidecar. */
  readonly traffic: Pick<TrafficMetrics, 'messagesOf' | 'connectionsOf'> | null;
}

/** What all exchanges of a proxy share. */
export interface ProxyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
  /** Where connections of HTTP/2 wait for the end of a turn. */
  readonly flushes: FlushQueue;
  /** For pauses of a few milliseconds. */
  readonly shortTimers: TimerWheel;
  readonly requestIds: RequestIds;
  readonly date: HttpDate;
  /** This proxy's name in `Via` (RFC 9110 §7.6.3), a pseudonym made at its start: finds requests that come round again. */
  readonly viaName: string;
  /** An IP address of this machine that others know it by, for X-Forwarded-For; empty where there is none. */
  readonly ownAddress: string;
}

/**
 * One HTTP connection manager, decided when its configuration arrived: an exchange reads it once, when a request begins,
 * and keeps it to its end.
 */
export interface HttpSettings {
  readonly routes: RouteTableSlot<ClusterSlot<ConnectionPool>>;
  /** Of the connections; the metrics of the exchanges are there, too. */
  readonly server: ServerSettings;
  /** `codec_type`: what clients speak. */
  readonly codec: 'auto' | 'http1' | 'http2';
  readonly http2: Http2ServerSettings;
  /** `stream_idle_timeout`; 0 for none. */
  readonly streamIdleTimeoutMs: number;
  /** `max_stream_duration`: from a request's first byte to its response's last; 0 for none. */
  readonly maxStreamDurationMs: number;
  /** The most bytes of a body that are kept for another try, unless the route has something to say about that. */
  readonly bufferLimitBytes: number;
  /** `upgrade_configs`; what isn't there is refused. */
  readonly upgrades: UpgradeRules;
  /** What requests pass between being routed and being done what the route says with. */
  readonly filters: readonly HttpFilter[];
  /** What is done to requests before they are routed. */
  readonly request: RequestRules;
  /** What becomes of the proxy's own answers; null for nothing. */
  readonly localReplies: LocalReplyRules | null;
  readonly responseFilter: FieldFilter;
  /** `server: <name>`. */
  readonly serverField: Field;
  /** When `serverField` goes into a response that came from upstream; into the proxy's own replies always. */
  readonly setsServer: 'overwrite' | 'append-if-absent' | 'pass-through';
  /** `always_set_request_id_in_response`. */
  readonly returnsRequestId: boolean;
  /** `via`; empty for none. */
  readonly via: string;
  /** `x-envoy-upstream-service-time` and its like, unless `suppress_envoy_headers` is set. */
  readonly addsEnvoyHeaders: boolean;
  readonly observers: readonly ExchangeObserver[];
  /** What is counted of gRPC calls while they last; null for nothing. */
  readonly calls: CallCounting | null;
}

/** The settings in force: replaced by one assignment, read when a request begins. */
export interface HttpSettingsSlot {
  current: HttpSettings;
}
