// Hot path.
// The connections to one endpoint, whatever they speak. Those that became free last are used first, so that few stay warm and
// the rest may age.
import type { Clock, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { Counter } from '@heddle/telemetry';
import type { ClientStream } from '../codec/client-stream.ts';
import {
  ExchangeEnding,
  type UpstreamConnection,
  type UpstreamConnectionOwner,
} from '../codec/upstream-connection.ts';
import { ClientConnection, type ClientSettings } from '../http1/client-connection.ts';
import type { Http2Context, Http2Settings } from '../http2/connection-owner.ts';
import type { Http2Options } from '../http2/http2-options.ts';
import { Http2UpstreamConnection } from '../http2/upstream-connection.ts';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import { proxyHeader } from '../inspect/proxy-protocol-writer.ts';
import type { LinkSecurity } from '../tls/link-security.ts';
import type {
  Connection,
  ConnectionHandler,
  ConnectionSource,
  Transport,
  TransportError,
} from '../transport/transport.ts';
import { type Caller, type ConnectionEnds, callerKey, endsOf } from './caller.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { ClusterMetrics, RoutingPriority } from './cluster-metrics.ts';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import { PoolCounts } from './pool-counts.ts';
import { PooledConnection, type PooledConnectionOwner } from './pooled-connection.ts';
import { RawConnections } from './raw-connections.ts';
import {
  PeerMemory,
  type PoolProtocol,
  type UpstreamProtocol,
  protocolOf,
  securityFor,
  withoutHttp2,
} from './upstream-protocol.ts';
import { WaitingRequests } from './waiting-requests.ts';

/** What waits for a connection. Exactly one of the three is called, perhaps before `acquire` returns. */
export interface ConnectionWaiter {
  /** The request asks to become another protocol, as far as HTTP knows such a thing: by `Upgrade`, not by CONNECT. */
  readonly wantsUpgrade: boolean;
  /** It has a body, too, for which the streams of HTTP/2 that stand for an upgrade have no place. */
  readonly hasUpgradeBody: boolean;
  /** The request's head is to be written before this returns: from now on it counts as in flight. */
  onConnection(stream: ClientStream): void;
  /** No connection could be made; nothing was sent. */
  onConnectFailed(error: TransportError): void;
  /** A circuit breaker is open (503, flag UO); nothing was sent. */
  onOverflow(): void;
}

/** What decides when connections end and what they speak, as a cluster's configuration says; times in milliseconds, 0 for never. */
export interface ConnectionLimits {
  /** Connecting and, where it is secured, the handshake take at most this long. */
  readonly connectTimeoutMs: number;
  /** TCP keep-alive after so long without a byte; 0 for the system's time, null for none. */
  readonly keepAliveMs: number | null;
  /** A connection that carries nothing is closed after this long, or up to an eighth later. */
  readonly idleTimeoutMs: number;
  /** A connection older than this carries no more requests, and is closed when it carries none. */
  readonly maxDurationMs: number;
  /** A connection carries no more than this many requests; 0 for any number. */
  readonly maxRequests: number;
  readonly protocol: UpstreamProtocol;
  /** How responses are read from connections of HTTP/1.1. */
  readonly responses: ClientSettings;
  readonly http2: Http2Options;
}

export interface ConnectionPoolOptions {
  readonly endpoint: Endpoint<EndpointPool>;
  readonly limits: ConnectionLimits;
  readonly metrics: ClusterMetrics;
  /** The cluster's, shared by the pools of all its endpoints. */
  readonly breaker: CircuitBreaker;
  readonly security: LinkSecurity | null;
  /** Where connections come from; null for the system's choice. */
  readonly source: ConnectionSource | null;
  /** The PROXY protocol's version with which connections begin; null for none. */
  readonly proxyProtocol: ProxyProtocolVersion | null;
  readonly transport: Transport;
  readonly timers: TimerWheel;
  readonly clock: Clock;
  /** What connections of HTTP/2 share. */
  readonly http2: Http2Context;
}

const poolClosed: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the endpoint was removed',
});
const noUpgrades: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the upstream takes no such upgrade over HTTP/2',
});
/** The pool among the others that has connections of HTTP/1.1 for upgrades. */
const forUpgrades = 'upgrades';
/** A connection that has been idle for this many sweeps is closed. */
const sweepsPerIdleTimeout = 8;

/** The pool of an endpoint that serves what came over `downstream`, by HTTP/2 or not, for requests of this priority. */
export function poolFor(
  endpoint: Endpoint<ConnectionPool>,
  downstream: Connection,
  priority: RoutingPriority,
  isHttp2 = false,
): ConnectionPool {
  return endpoint.poolOf(priority).forDownstream(downstream, isHttp2);
}

export class ConnectionPool implements PooledConnectionOwner, EndpointPool, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly bytesSent: Counter;
  private readonly options: ConnectionPoolOptions;
  private readonly protocol: PoolProtocol;
  private readonly endpoint: Endpoint<EndpointPool>;
  private readonly breaker: CircuitBreaker;
  private readonly metrics: ClusterMetrics;
  private readonly counts: PoolCounts;
  private readonly peer: PeerMemory;
  /** Those that take exchanges, or did when they were last looked at. */
  private readonly ready: PooledConnection[] = [];
  /** All connections that were or are being made. */
  private readonly connections = new Set<PooledConnection>();
  private readonly raw: RawConnections;
  private readonly waiting = new WaitingRequests<ConnectionWaiter>();
  /** Told when its last connection has gone; null for a pool that stays. */
  private onEmpty: (() => void) | null = null;
  /** What connections begin with. */
  private readonly preface: Buffer | null;
  private readonly security: LinkSecurity | null;
  private readonly caller: ConnectionEnds | null;
  /** Made for the first connection of HTTP/2. */
  private http2Settings: Http2Settings | null = null;
  /** Pools whose connections are one caller's, or speak another protocol; null in such a pool itself, and without any. */
  private others: Map<string, ConnectionPool> | null = null;
  private connecting = 0;
  private isClosed = false;

  /**
   * `caller`: whose connections they are, for the PROXY protocol; without one they are the proxy's own. `isHttp2`: what a
   * cluster's connections speak whose protocol is that of its callers.
   */
  constructor(options: ConnectionPoolOptions, caller: ConnectionEnds | null = null, isHttp2 = false) {
    const { limits, metrics, breaker, endpoint, clock, proxyProtocol } = options;
    this.options = options;
    this.caller = caller;
    this.preface =
      proxyProtocol === null
        ? null
        : proxyHeader(proxyProtocol, caller?.source ?? null, caller?.destination ?? null);
    this.endpoint = endpoint;
    this.breaker = breaker;
    this.metrics = metrics;
    this.bytesSent = metrics.bytesSent;
    this.protocol = protocolOf(limits.protocol, isHttp2, options.security !== null);
    this.security = securityFor(options.security, this.protocol);
    this.counts = new PoolCounts(metrics, breaker, endpoint, clock);
    this.peer = new PeerMemory(this.protocol, limits.http2, limits.maxRequests);
    this.raw = new RawConnections(this.counts, metrics, () => this.afterGone());
  }

  /**
   * The pool for what came over `downstream`: this one, or where connections tell the upstream who the caller is, by their
   * source address or by a header, or speak what the caller does, one whose connections are nobody else's. That one counts
   * with this one, and ends with it or with its last connection.
   */
  forDownstream(downstream: Caller, isHttp2 = false): ConnectionPool {
    const { upstreamSource } = downstream;
    const { proxyProtocol, limits } = this.options;
    const speaksHttp2 = limits.protocol === 'downstream' && isHttp2;
    if (upstreamSource === null && proxyProtocol === null && !speaksHttp2) return this;
    const caller = proxyProtocol === null ? null : endsOf(downstream);
    const key = `${speaksHttp2} ${callerKey(upstreamSource, caller)}`;
    return this.other(key, () => {
      const options = { ...this.options, source: upstreamSource ?? this.options.source };
      return new ConnectionPool(options, caller, speaksHttp2);
    });
  }

  /** Hands a stream of a connection over that has room for it, at once where there is one, else when there is. */
  acquire(waiter: ConnectionWaiter): void {
    const connection = this.takeReady();
    if (connection === null) this.enqueue(waiter, false);
    else this.handOver(connection, waiter);
  }

  /** Like `acquire`, but never of a connection that carried a request before: its peer may be about to close it. */
  acquireFresh(waiter: ConnectionWaiter): void {
    // What lies idle is at least as old as the one that has just failed: a peer that closed one has closed them all.
    for (const connection of [...this.ready]) if (connection.isIdle) connection.close();
    this.enqueue(waiter, true);
  }

  /**
   * Starts to make a connection of `handler`'s own, for bytes that are no HTTP. Null where the circuit breaker takes no more
   * (flag UO) or the endpoint is gone; nothing was begun then. Whoever writes to it adds the bytes to `bytesSent`.
   */
  connectRaw(handler: ConnectionHandler): Connection | null {
    const { metrics, options } = this;
    if (this.isClosed) return null;
    if (!this.breaker.connections.takesMore) {
      metrics.connectionOverflows.value++;
      return null;
    }
    return this.raw.open(handler, options.clock.monotonic(), (raw) =>
      this.openTransport(options.security, raw),
    );
  }

  /** Takes back a waiter that no longer wants a connection. */
  cancel(waiter: ConnectionWaiter): void {
    if (!this.waiting.remove(waiter)) {
      this.others?.get(forUpgrades)?.cancel(waiter);
      return;
    }
    this.counts.waitEnded();
    this.metrics.requestsCancelled.value++;
  }

  /**
   * The endpoint is gone: idle connections are closed, busy ones when they become idle; raw ones live on. Who waits
   * already still gets a connection: the instance may know of the request.
   */
  close(): void {
    this.isClosed = true;
    this.options.timers.disarm(this);
    for (const connection of [...this.ready]) if (connection.isIdle) this.retire(connection);
    for (const pool of [...(this.others?.values() ?? [])]) pool.close();
  }

  /** Drops all connections, those that carry something too (`close_connections_on_host_health_failure`). */
  dropConnections(): void {
    for (const connection of [...this.connections]) this.drop(connection);
    this.raw.dropAll();
    for (const pool of [...(this.others?.values() ?? [])]) pool.dropConnections();
  }

  // PooledConnectionOwner

  createCodec(owner: UpstreamConnectionOwner, alpn: string): UpstreamConnection {
    const { limits, http2 } = this.options;
    const isHttp2 = this.protocol === 'auto' ? alpn === 'h2' : this.protocol === 'http2';
    this.peer.speaksHttp2 = isHttp2;
    if (this.protocol === 'auto') this.countProtocol(isHttp2);
    if (isHttp2) {
      return new Http2UpstreamConnection(owner, this.settingsOfHttp2(), http2, this.peer);
    }
    return new ClientConnection(owner, limits.responses, this.metrics);
  }

  onConnected(connection: PooledConnection): void {
    this.connecting--;
    this.counts.connectionMade(connection.startedAt);
    const { maxDurationMs } = this.options.limits;
    if (maxDurationMs > 0) this.options.timers.arm(connection, maxDurationMs);
    this.serve(connection, true);
    // It may take fewer than was expected.
    this.connectForWaiting();
  }

  onConnectFailed(connection: PooledConnection, error: TransportError): void {
    this.connecting--;
    this.connections.delete(connection);
    this.counts.connectionFailed(error, connection.isClosedHere);
    this.failWaiting(error);
    this.afterGone();
  }

  onExchangeEnded(_connection: PooledConnection, ending: number): void {
    this.counts.requestEnded();
    if (ending !== ExchangeEnding.over) this.counts.streamEnded(ending);
  }

  onAvailable(connection: PooledConnection): void {
    // One that wants a fresh connection may wait for the room that this one takes.
    if (connection.isIdle && this.waiting.wantFresh > this.connectingCapacity) this.retire(connection);
    else this.serve(connection, false);
  }

  onGone(connection: PooledConnection): void {
    const { metrics } = this;
    const codec = connection.codec!;
    this.connections.delete(connection);
    this.takeFromReady(connection);
    this.options.timers.disarm(connection);
    this.counts.connectionGone(connection.startedAt, codec.isClosedHere, codec.wasBusy);
    if (codec.wasToldToClose) metrics.closeNotifications.value++;
    if (codec.hasBrokenProtocol) metrics.protocolErrors.value++;
    this.afterGone();
  }

  onTooOld(connection: PooledConnection): void {
    this.metrics.maxDurationsReached.value++;
    this.retire(connection);
  }

  // TimerWheelEntry

  /** Looks for connections that nobody has used for the idle timeout; a request pays nothing for that. */
  onTimeout(): void {
    for (const connection of [...this.ready]) {
      if (!connection.isIdle) connection.idleSweeps = 0;
      else if (++connection.idleSweeps > sweepsPerIdleTimeout) {
        this.metrics.idleTimeouts.value++;
        this.retire(connection);
      }
    }
    this.armSweep();
  }

  /** Gives the connection to those who wait, and keeps it for others. */
  private serve(connection: PooledConnection, isFresh: boolean): void {
    while (connection.takesStream) {
      const waiter = this.waiting.next(isFresh);
      if (waiter === null) break;
      this.counts.waitEnded();
      this.takeFromReady(connection);
      this.handOver(connection, waiter);
    }
    this.keep(connection);
  }

  /** The connection is not in `ready`, and goes back there where it takes more. */
  private handOver(connection: PooledConnection, waiter: ConnectionWaiter): void {
    const codec = connection.codec!;
    if (!this.breaker.requests.takesMore) {
      this.keep(connection);
      this.metrics.requestOverflows.value++;
      waiter.onOverflow();
      return;
    }
    if (waiter.wantsUpgrade && refuses(codec, waiter)) {
      this.keep(connection);
      if (this.protocol === 'auto') this.upgradePool().acquire(waiter);
      else waiter.onConnectFailed(noUpgrades);
      return;
    }
    this.counts.requestBegun();
    connection.idleSweeps = 0;
    const stream = codec.openStream();
    const { maxRequests } = this.options.limits;
    const isLast = maxRequests > 0 && codec.requestCount >= maxRequests;
    if (!isLast) this.keep(connection);
    waiter.onConnection(stream);
    if (!isLast) return;
    this.metrics.maxRequestsReached.value++;
    codec.drain();
  }

  /** The one with this key among those that count and end with this one. */
  private other(key: string, create: () => ConnectionPool): ConnectionPool {
    const known = this.others?.get(key);
    if (known !== undefined) return known;
    const pool = create();
    pool.onEmpty = () => {
      this.others?.delete(key);
      this.leaveWhereEmpty();
    };
    (this.others ??= new Map()).set(key, pool);
    if (this.isClosed) pool.close();
    return pool;
  }

  /** Connections of HTTP/1.1 to a peer that would agree on HTTP/2: for what that can't carry. */
  private upgradePool(): ConnectionPool {
    return this.other(forUpgrades, () => {
      const { limits, security } = this.options;
      const options: ConnectionPoolOptions = {
        ...this.options,
        limits: { ...limits, protocol: 'http1' },
        security: security === null ? null : withoutHttp2(security),
      };
      return new ConnectionPool(options, this.caller);
    });
  }

  private keep(connection: PooledConnection): void {
    if (this.isClosed && connection.isIdle) {
      this.retire(connection);
      return;
    }
    if (!connection.isReady && connection.takesStream) {
      connection.isReady = true;
      this.ready.push(connection);
    }
    if (this.wheelSlot < 0 && connection.isIdle) this.armSweep();
  }

  /** Takes the last one out that takes an exchange; null where none does. */
  private takeReady(): PooledConnection | null {
    for (;;) {
      const connection = this.ready.pop();
      if (connection === undefined) return null;
      connection.isReady = false;
      if (connection.takesStream) return connection;
    }
  }

  private takeFromReady(connection: PooledConnection): void {
    if (!connection.isReady) return;
    connection.isReady = false;
    this.ready.splice(this.ready.indexOf(connection), 1);
  }

  /** It carries nothing new, and ends when it carries nothing. */
  private retire(connection: PooledConnection): void {
    this.takeFromReady(connection);
    connection.codec!.drain();
  }

  private drop(connection: PooledConnection): void {
    this.takeFromReady(connection);
    connection.close();
  }

  private armSweep(): void {
    const { timers, limits } = this.options;
    if (limits.idleTimeoutMs === 0 || !this.ready.some((connection) => connection.isIdle)) return;
    timers.arm(this, limits.idleTimeoutMs / sweepsPerIdleTimeout);
  }

  private enqueue(waiter: ConnectionWaiter, wantsFresh: boolean): void {
    if (this.isClosed) {
      waiter.onConnectFailed(poolClosed);
      return;
    }
    if (!this.breaker.pendingRequests.takesMore) {
      this.metrics.requestOverflows.value++;
      waiter.onOverflow();
      return;
    }
    this.waiting.add(waiter, wantsFresh);
    this.counts.waitBegun();
    this.connectForWaiting();
  }

  /** Nobody can tell the waiters' chances apart: where one connection fails, all who wait look elsewhere. */
  private failWaiting(error: TransportError): void {
    for (const waiter of this.waiting.takeAll()) {
      this.counts.waitEnded();
      this.metrics.pendingFailures.value++;
      waiter.onConnectFailed(error);
    }
  }

  private connectForWaiting(): void {
    while (this.connectingCapacity < this.waiting.size) {
      // An endpoint may always have one, or requests would wait for others' connections to end.
      if (!this.takesConnection()) {
        this.metrics.connectionOverflows.value++;
        if ((this.onEmpty === null ? this.endpoint.connections : this.connections.size) > 0) return;
      }
      this.connect();
    }
  }

  /** Exchanges that the connections that are being made can be expected to take. */
  private get connectingCapacity(): number {
    return this.connecting * this.peer.expectedStreams;
  }

  private takesConnection(): boolean {
    const { breaker } = this;
    const { connections, sharedConnections } = this.endpoint;
    const toEndpoint = sharedConnections?.value ?? connections;
    return breaker.connections.takesMore && toEndpoint < breaker.limits.maxConnectionsPerEndpoint;
  }

  private connect(): void {
    this.connecting++;
    this.counts.connectionBegun();
    if (this.protocol !== 'auto') this.countProtocol(this.protocol === 'http2');
    const connection = new PooledConnection(this, this.options.clock.monotonic());
    this.connections.add(connection);
    connection.attach(this.openTransport(this.security, connection));
  }

  private openTransport(security: LinkSecurity | null, handler: ConnectionHandler): Connection {
    const { transport, source, limits } = this.options;
    return transport.connect(
      {
        address: this.endpoint.target,
        security,
        source,
        preface: this.preface,
        timeoutMs: limits.connectTimeoutMs,
        keepAliveMs: limits.keepAliveMs,
      },
      handler,
    );
  }

  private settingsOfHttp2(): Http2Settings {
    const { limits, metrics } = this.options;
    return (this.http2Settings ??= {
      options: limits.http2,
      metrics: metrics.http2,
      bytesSent: metrics.bytesSent,
      bytesReceived: metrics.bytesReceived,
    });
  }

  private countProtocol(isHttp2: boolean): void {
    const { metrics } = this;
    (isHttp2 ? metrics.http2ConnectionsTotal : metrics.http1ConnectionsTotal).value++;
  }

  /** A connection is gone: there is room for another one. */
  private afterGone(): void {
    this.connectForWaiting();
    this.leaveWhereEmpty();
  }

  /** Whoever forgot this pool would forget those below it as well. */
  private leaveWhereEmpty(): void {
    if (this.onEmpty !== null && this.isEmpty) this.onEmpty();
  }

  private get isEmpty(): boolean {
    if (this.connections.size + this.raw.size + this.waiting.size > 0) return false;
    for (const pool of this.others?.values() ?? []) if (!pool.isEmpty) return false;
    return true;
  }
}

/** Whether the connection can't become what the request asks for. */
function refuses(codec: UpstreamConnection, { hasUpgradeBody }: ConnectionWaiter): boolean {
  return codec.refusesUpgrades || (hasUpgradeBody && !codec.takesUpgradeBodies);
}
