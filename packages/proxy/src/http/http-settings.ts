import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { Counter, Gauge } from '@heddle/telemetry';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { FieldFilter } from '../http1/head-writer.ts';
import type { ServerLimits } from '../http1/server-exchange.ts';
import type { RouteTableSlot } from '../routing/route-table.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { HttpDate } from './http-date.ts';

/** How a listener treats X-Forwarded-Client-Cert (Envoy's `forward_client_cert_details`). */
export const ClientCertMode = { sanitize: 0, sanitizeSet: 1 } as const;

/** Told of each finished exchange: metrics by peer, access logs. */
export interface ExchangeObserver {
  onFinished(exchange: ExchangeRecord): void;
}

/** What all exchanges of a proxy share. */
export interface ProxyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
  readonly date: HttpDate;
  /** This proxy's name in `Via` (RFC 9110 §7.6.3), a pseudonym made at its start: finds requests that come round again. */
  readonly viaName: string;
}

/**
 * One HTTP connection manager, decided when its configuration arrived: an exchange reads it once, when a request begins,
 * and keeps it to its end.
 */
export interface HttpSettings {
  readonly routes: RouteTableSlot<ClusterSlot<ConnectionPool>>;
  readonly limits: ServerLimits;
  /** `stream_idle_timeout`; 0 for none. */
  readonly streamIdleTimeoutMs: number;
  /** For requests whose Host goes on as it came, and for those for which it is written anew. */
  readonly requestFilter: FieldFilter;
  readonly hostRewritingFilter: FieldFilter;
  readonly responseFilter: FieldFilter;
  /** `server: <name>` with its CRLF. */
  readonly serverLine: string;
  /** When `serverLine` goes into a response that came from upstream; into the proxy's own replies always. */
  readonly setsServer: 'overwrite' | 'append-if-absent' | 'pass-through';
  readonly scheme: 'http' | 'https';
  readonly generateRequestId: boolean;
  /** `x-envoy-upstream-service-time` and its like, unless `suppress_envoy_headers` is set. */
  readonly addsEnvoyHeaders: boolean;
  /** The peer's address is the client's: X-Forwarded-For is appended, what only the mesh may say is removed. */
  readonly useRemoteAddress: boolean;
  readonly clientCertMode: number;
  /** This workload's SPIFFE id, for `By=` in X-Forwarded-Client-Cert. */
  readonly ownIdentity: string;
  readonly observers: readonly ExchangeObserver[];
  readonly requestsTotal: Counter;
  readonly requestsActive: Gauge;
}

/** The settings in force: replaced by one assignment, read when a request begins. */
export interface HttpSettingsSlot {
  current: HttpSettings;
}
