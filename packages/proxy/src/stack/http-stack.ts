// THE assembly of a listener's HTTP side: what a request passes, in this order.
//
//   connection ─▶ ServerConnection   frames requests, refuses what is ambiguous: nothing behind it sees bytes it could misread
//              ─▶ ProxyExchange      routes on the same Host and path that are forwarded, so that policy and upstream agree
//              ─▶ HttpFilter         policy decides when the route is known, which may have policies of its own, and before anything is done
//              ─▶ Cluster, Endpoint  balances after routing: weights are per route, health is per endpoint
//              ─▶ ConnectionPool     reuses connections per endpoint and per identity: a link never serves another cluster
//              ─▶ ClientConnection   frames responses as strictly as requests
//              ◀─ observers          count and log last, when everything about the exchange is known
import type { MetricRegistry } from '@heddle/telemetry';
import { AccessLog } from '../access-log/access-log.ts';
import type { LogFile } from '../access-log/log-file.ts';
import type { LogFiles } from '../access-log/log-files.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { DownstreamTlsConfig } from '../tls/tls-config.ts';
import type { HttpFilterConfig, ListenerConfig } from '../config/listener-config.ts';
import type { ExchangeObserver, HttpSettings, ProxyContext } from '../http/http-settings.ts';
import { InternalAddresses } from '../http/internal-addresses.ts';
import { type RequestRules, compileRequestRules } from '../http/request-rules.ts';
import { createFieldFilter } from '../codec/field-filter.ts';
import { FieldId } from '../codec/field-name.ts';
import { Field } from '../codec/field.ts';
import { buildHttpFilters } from '../policy/build-http-filters.ts';
import type { ConnectionLimits } from '../listener/connection-admission.ts';
import type { DrainManager } from './drain-manager.ts';
import type { ProcessCounts } from './process-counts.ts';
import { Http2Metrics } from '../stats/http2-metrics.ts';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import type { TrafficMetrics } from '../stats/traffic-metrics.ts';

/** What all listeners of a proxy share. */
export interface StackEnvironment {
  readonly context: ProxyContext;
  readonly drains: DrainManager;
  readonly registry: MetricRegistry;
  readonly logFiles: LogFiles;
  /** What limits count. */
  readonly counts: ProcessCounts;
  /** How many connections are taken. */
  readonly limits: ConnectionLimits;
  /** This workload's SPIFFE id; empty where the proxy has none. */
  readonly ownIdentity: string;
  /** Counts by peer; null for a proxy that is no sidecar. */
  readonly inboundTraffic: TrafficMetrics | null;
  readonly outboundTraffic: TrafficMetrics | null;
}

/** An HTTP connection manager and the filter chain it stands in. */
export interface HttpStackConfig extends HttpFilterConfig<ConnectionPool> {
  readonly direction: ListenerConfig<ConnectionPool>['direction'];
  readonly tls: DownstreamTlsConfig | null;
  /** As Envoy writes it in the names of counters: `127.0.0.1_80`. */
  readonly listenerAddress: string;
}

/** The settings of one filter chain's exchanges and what has to be given back when they are replaced. */
export interface HttpStack {
  readonly settings: HttpSettings;
  close(): void;
}

/** Builds the settings of a filter chain; everything that can be decided before a request comes is decided here. */
export function buildHttpStack(config: HttpStackConfig, environment: StackEnvironment): HttpStack {
  const { http } = config;
  const { registry, context } = environment;
  const scope = registry.scope();
  const files: LogFile[] = [];
  const observers: ExchangeObserver[] = [];
  const traffic = config.direction === 'inbound' ? environment.inboundTraffic : environment.outboundTraffic;
  if (traffic !== null) observers.push(traffic);
  for (const log of http.accessLogs) {
    const file = environment.logFiles.acquire(log.path);
    files.push(file);
    const accessLog = new AccessLog(log, file, context.random);
    observers.push({ onFinished: (exchange) => accessLog.log(exchange) });
  }
  const metrics = new ConnectionManagerMetrics(scope, http.statPrefix, config.listenerAddress);
  const countsCalls =
    http.grpcStats !== null || traffic !== null || http.filters.some(({ kind }) => kind === 'grpc-web');
  const settings: HttpSettings = {
    routes: config.routes,
    server: { ...http.server, metrics },
    filters: buildHttpFilters(http.filters, scope, http.statPrefix, metrics, context.random),
    codec: http.codec,
    http2: {
      options: http.http2,
      metrics: new Http2Metrics(scope, null),
      drainTimeoutMs: http.drainTimeoutMs,
    },
    maxStreamDurationMs: http.maxStreamDurationMs,
    upgrades: http.upgrades,
    bufferLimitBytes: http.bufferLimitBytes,
    streamIdleTimeoutMs: http.streamIdleTimeoutMs,
    request: requestRules(config, environment),
    localReplies: http.localReplies,
    responseFilter: createFieldFilter([
      ...(http.suppressesEnvoyHeaders ? [] : [FieldId.upstreamServiceTime]),
      ...(http.serverHeader === 'overwrite' ? [FieldId.server] : []),
    ]),
    serverField: new Field('server', http.serverName),
    setsServer: http.serverHeader,
    via: http.via,
    returnsRequestId: http.alwaysSetRequestIdInResponse,
    addsEnvoyHeaders: !http.suppressesEnvoyHeaders,
    observers,
    calls: countsCalls ? { stats: http.grpcStats, traffic } : null,
  };
  return {
    settings,
    close: () => {
      scope.close();
      for (const file of files) void environment.logFiles.release(file);
    },
  };
}

function requestRules(config: HttpStackConfig, environment: StackEnvironment): RequestRules {
  const { http } = config;
  return compileRequestRules({
    scheme: config.tls === null ? 'http' : 'https',
    addresses: {
      useRemoteAddress: http.useRemoteAddress,
      trustedHops: http.xffNumTrustedHops,
      internal: new InternalAddresses(http.internalRanges),
    },
    skipsForwardedFor: http.skipXffAppend,
    addsForwardedPort: http.appendXForwardedPort,
    generatesRequestId: http.generateRequestId,
    preservesRequestId: http.preserveExternalRequestId,
    via: http.via,
    clientCert: { ...http.clientCert, ownUris: ownUris(config.tls, environment.ownIdentity) },
    path: http.pathRules,
    host: http.hostRules,
    ownAddress: environment.context.ownAddress,
  });
}

/** What a server says of itself: the URIs of its certificate where that stands in the configuration, or the workload's identity. */
function ownUris(tls: DownstreamTlsConfig | null, ownIdentity: string): readonly string[] {
  const first = tls?.certificates[0];
  const named = first?.kind === 'static' ? first.certificate.leaf.extensions.uriNames : [];
  if (named.length > 0) return named;
  return ownIdentity === '' ? [] : [ownIdentity];
}
