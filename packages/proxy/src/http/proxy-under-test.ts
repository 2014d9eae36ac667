import { FlushQueue } from '../http2/flush-queue.ts';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { TimerWheel, silentLogger, systemClock, systemRandom } from '@heddle/base';
import { type AccessLogEntry, MetricRegistry, RequestIds } from '@heddle/telemetry';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import {
  Route,
  type RouteAction,
  type RouteMatch,
  type VirtualHost,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { type CircuitBreakerLimits, defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import { Cluster } from '../cluster/cluster.ts';
import { ClusterMetrics } from '../cluster/cluster-metrics.ts';
import { ClusterSlot } from '../cluster/cluster-slot.ts';
import { ConnectionPool } from '../cluster/connection-pool.ts';
import type { UpstreamProtocol } from '../cluster/upstream-protocol.ts';
import { createFieldFilter } from '../codec/field-filter.ts';
import { FieldId } from '../codec/field-name.ts';
import { Field } from '../codec/field.ts';
import { type ClientSettings, defaultClientSettings } from '../http1/client-connection.ts';
import { type ServerSettings, defaultServerSettings } from '../http1/server-settings.ts';
import { ServedConnections } from '../codec/served-connections.ts';
import { type Http2Options, defaultHttp2Options } from '../http2/http2-options.ts';
import { Http2Metrics } from '../stats/http2-metrics.ts';
import { httpAcceptor } from './http-acceptor.ts';
import { compileRouteTable } from '../routing/compile-route-table.ts';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import { hostAndPort } from '../transport/address.ts';
import { openTransport } from '../transport/open-transport.ts';
import { HttpDate } from './http-date.ts';
import type { HttpFilter } from './http-filter.ts';
import type { CallCounting, HttpSettings } from './http-settings.ts';
import type { LocalReplyRules } from './local-reply-rules.ts';
import { InternalAddresses } from './internal-addresses.ts';
import { ExchangePool } from './exchange-pool.ts';
import { type RequestRuleOptions, compileRequestRules } from './request-rules.ts';

/** What a finished exchange looked like, as an access log would say it. */
export interface Finished {
  readonly code: number;
  readonly flags: string;
  readonly details: string;
}

/** A proxy on port 0 in front of one backend, for tests with real sockets. */
export interface ProxyUnderTest {
  readonly port: number;
  readonly finished: Finished[];
  /** What each finished exchange says of the bytes of its bodies. */
  readonly bytes: { readonly received: number; readonly sent: number }[];
  readonly registry: MetricRegistry;
  readonly metrics: ClusterMetrics;
  readonly downstream: ConnectionManagerMetrics;
  readonly connections: ServedConnections;
  readonly cluster: Cluster<ConnectionPool>;
  readonly timers: TimerWheel;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly ports: readonly number[];
  readonly timeoutMs?: number;
  /** Instead of Envoy's defaults. */
  readonly server?: Partial<Omit<ServerSettings, 'metrics'>>;
  readonly http2?: Partial<Http2Options>;
  readonly responses?: Partial<ClientSettings>;
  /** What the ports speak; HTTP/1.1 unless it is said. */
  readonly protocol?: UpstreamProtocol;
  readonly http2Upstream?: Partial<Http2Options>;
  readonly upgrades?: Readonly<Record<string, 'forward' | 'tunnel' | 'refuse'>>;
  readonly bufferLimitBytes?: number;
  readonly streamIdleTimeoutMs?: number;
  readonly maxStreamDurationMs?: number;
  /** Instead of one route that leads everything to the cluster `be`. */
  readonly routes?: readonly Route[];
  /** What the virtual host says besides. */
  readonly virtualHost?: Parameters<typeof VirtualHost.fromPartial>[0];
  readonly breakerLimits?: CircuitBreakerLimits;
  /** What differs from a connection manager without any settings. */
  readonly rules?: Partial<RequestRuleOptions>;
  readonly localReplies?: LocalReplyRules;
  readonly returnsRequestId?: boolean;
  readonly filters?: readonly HttpFilter[];
  /** What the route says besides. */
  readonly route?: Parameters<typeof RouteAction.fromPartial>[0];
  /** Requests go where their authority says, instead of to the ports. */
  readonly isPassthrough?: boolean;
  /** What the endpoints are called. */
  readonly endpointName?: string;
  readonly calls?: CallCounting;
  /** Told of every exchange when it ends. */
  readonly onFinished?: (exchange: AccessLogEntry) => void;
}

/** The rules of a connection manager without any settings. */
export const plainRules: RequestRuleOptions = {
  scheme: 'http',
  addresses: { useRemoteAddress: false, trustedHops: 0, internal: new InternalAddresses([]) },
  skipsForwardedFor: false,
  addsForwardedPort: false,
  generatesRequestId: true,
  preservesRequestId: false,
  via: '',
  clientCert: {
    mode: 'sanitize',
    subject: false,
    cert: false,
    chain: false,
    uri: false,
    dns: false,
    ownUris: [],
  },
  path: null,
  host: null,
  ownAddress: '',
};
/** A route to the proxy's backend, for everything unless `match` says otherwise. */
export function toBackend(
  action: Parameters<typeof RouteAction.fromPartial>[0],
  match: Parameters<typeof RouteMatch.fromPartial>[0] = { pathSpecifier: { $case: 'prefix', value: '/' } },
  route: Parameters<typeof Route.fromPartial>[0] = {},
): Route {
  return Route.fromPartial({
    match,
    action: { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value: 'be' }, ...action } },
    ...route,
  });
}

/** Starts a proxy whose only route leads everything to the given loopback ports. */
export async function startProxy(options: ProxyOptions): Promise<ProxyUnderTest> {
  const transport = openTransport(systemClock, silentLogger);
  const timers = new TimerWheel(systemClock, 20);
  const poolTimers = new TimerWheel(systemClock);
  const context = {
    clock: systemClock,
    random: systemRandom,
    timers,
    flushes: new FlushQueue(systemClock),
    shortTimers: timers,
    requestIds: new RequestIds(systemRandom),
    date: new HttpDate(systemClock),
    viaName: 'heddle-test',
    ownAddress: '',
  };
  const registry = new MetricRegistry();
  const metrics = new ClusterMetrics(registry, 'be');
  const cluster = new Cluster<ConnectionPool>(
    {
      name: 'be',
      connections: {
        connectTimeoutMs: 1_000,
        keepAliveMs: null,
        idleTimeoutMs: 3_600_000,
        maxDurationMs: 0,
        maxRequests: 0,
        protocol: options.protocol ?? 'http1',
        responses: { ...defaultClientSettings, ...options.responses },
        http2: { ...defaultHttp2Options, ...options.http2Upstream },
      },
      tls: null,
      source: null,
      proxyProtocol: null,
      breakers: {
        default: options.breakerLimits ?? defaultCircuitBreakerLimits,
        high: defaultCircuitBreakerLimits,
      },
      dropsConnectionsOfUnhealthy: false,
      originalDestination: null,
      dns: null,
      balancing: {
        policy: 'round-robin',
        choiceCount: 2,
        panicThresholdPercent: 50,
        ringSize: { minimum: 1024, maximum: 1024 },
        tableSize: 103,
      },
      isPassthrough: options.isPassthrough ?? false,
    },
    metrics,
    (owner, endpoint, priority) =>
      new ConnectionPool({
        transport,
        endpoint,
        security: null,
        source: null,
        proxyProtocol: null,
        limits: owner.config.connections,
        timers: poolTimers,
        clock: systemClock,
        http2: context,
        metrics,
        breaker: owner.breaker(priority),
      }),
    poolTimers,
  );
  if (options.isPassthrough !== true)
    cluster.setEndpoints(
      {
        endpoints: options.ports.map((port) => ({
          host: '127.0.0.1',
          port,
          name: options.endpointName ?? '',
          takesTunnels: true,
          weight: 1,
          health: 'healthy',
          priority: 0,
        })),
        overprovisioningPercent: 140,
      },
      systemRandom,
    );
  const slot = new ClusterSlot<ConnectionPool>('be');
  slot.set(null, cluster);
  const seconds = Math.floor((options.timeoutMs ?? 0) / 1000);
  const timeout = { seconds, nanos: ((options.timeoutMs ?? 0) % 1000) * 1e6 };
  const configuration = RouteConfiguration.fromPartial({
    name: 'test',
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        ...options.virtualHost,
        routes: [...(options.routes ?? [toBackend({ timeout, ...options.route })])],
      },
    ],
  });
  const table = compileRouteTable(
    configuration,
    () => slot,
    '',
    (name) => (name === 'be' ? slot : null),
  );
  if (!table.ok) throw new Error(JSON.stringify(table.error));
  const finished: Finished[] = [];
  const bytes: { received: number; sent: number }[] = [];
  const downstream = new ConnectionManagerMetrics(registry.scope(), 'test', null);
  const settings: HttpSettings = {
    routes: { name: '', current: table.value },
    server: {
      ...defaultServerSettings,
      idleTimeoutMs: 60_000,
      ...options.server,
      metrics: downstream,
    },
    filters: options.filters ?? [],
    codec: 'auto',
    http2: {
      options: { ...defaultHttp2Options, allowConnect: true, ...options.http2 },
      metrics: new Http2Metrics(registry.scope(), null),
      drainTimeoutMs: 5000,
    },
    maxStreamDurationMs: options.maxStreamDurationMs ?? 0,
    upgrades: new Map(Object.entries(options.upgrades ?? {})),
    bufferLimitBytes: options.bufferLimitBytes ?? 1024 * 1024,
    streamIdleTimeoutMs: options.streamIdleTimeoutMs ?? 60_000,
    request: compileRequestRules({ ...plainRules, ...options.rules }),
    localReplies: options.localReplies ?? null,
    responseFilter: createFieldFilter([FieldId.server, FieldId.upstreamServiceTime]),
    serverField: new Field('server', 'envoy'),
    setsServer: 'overwrite',
    via: options.rules?.via ?? '',
    returnsRequestId: options.returnsRequestId ?? false,
    addsEnvoyHeaders: true,
    calls: options.calls ?? null,
    observers: [
      {
        onFinished: (exchange) => {
          const { responseCode: code, responseFlags: flags, responseCodeDetails: details } = exchange;
          finished.push({ code, flags, details });
          options.onFinished?.(exchange);
          bytes.push({ received: exchange.bytesReceived, sent: exchange.bytesSent });
        },
      },
    ],
  };
  const connections = new ServedConnections(context);
  const current = { current: settings };
  const exchanges = new ExchangePool(context, current);
  const accept = httpAcceptor({ connections, exchanges, context, slot: current });
  const listener = await transport.listen(
    { address: { host: '127.0.0.1', port: 0 }, security: null },
    accept,
  );
  return {
    port: hostAndPort(listener.address).port,
    finished,
    bytes,
    registry,
    metrics,
    downstream,
    connections,
    cluster,
    timers,
    close: async () => {
      await listener.close();
      connections.destroy();
      cluster.close();
      timers.close();
      poolTimers.close();
    },
  };
}

/** A TCP server on port 0 whose connections are handled by `onConnection`. */
export async function startBackend(
  onConnection: (socket: Socket, connectionNumber: number) => void,
  allowHalfOpen = false,
): Promise<{ readonly port: number; readonly close: () => Promise<void>; readonly server: Server }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket, ++count);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** A backend that answers every request with `respond(request head)`, once the head is complete. */
export function startResponder(
  respond: (head: string, socket: Socket) => string | null,
): ReturnType<typeof startBackend> {
  return startBackend((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = text.slice(0, end + 4);
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        if (text.length < end + 4 + length) return;
        text = text.slice(end + 4 + length);
        const answer = respond(head, socket);
        if (answer !== null) socket.write(answer, 'latin1');
      }
    });
  });
}

/** A raw client: writes what it is given and collects what comes. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  ended = false;
  /** Its side stays open when the peer has closed. */
  keepsOpen = false;
  private waiters: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
      this.wake();
    });
    this.socket.on('end', () => {
      this.ended = true;
      if (!this.keepsOpen) this.socket.end();
      this.wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves once `condition` holds; rejects when the connection ends without. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!condition(this.received)) {
      if (this.ended) throw new Error(`connection ended with: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
    return this.received;
  }

  /** Resolves with everything received when the peer has closed. */
  async untilEnd(): Promise<string> {
    while (!this.ended) await new Promise<void>((resolve) => this.waiters.push(resolve));
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
  }
}
