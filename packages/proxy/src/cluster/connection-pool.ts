// Hot path.
// The connections to one endpoint: idle ones are taken last in, first out, so that few stay warm and the rest may age.
import type { Clock, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { Counter } from '@heddle/telemetry';
import {
  ClientConnection,
  type ClientConnectionOwner,
  type ClientSettings,
} from '../http1/client-connection.ts';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import { proxyHeader } from '../inspect/proxy-protocol-writer.ts';
import type { LinkSecurity } from '../tls/link-security.ts';
import type {
  Connection,
  ConnectionHandler,
  ConnectionSource,
  TcpAddress,
  Transport,
  TransportError,
} from '../transport/transport.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { ClusterMetrics, RoutingPriority } from './cluster-metrics.ts';
import { ConnectionAge } from './connection-age.ts';
import type { Endpoint, EndpointPool } from './endpoint.ts';
import { RawConnection, type RawConnectionOwner } from './raw-connection.ts';

/** What waits for a connection. Exactly one of the three is called, perhaps before `acquire` returns. */
export interface ConnectionWaiter {
  /** The request's head is to be written before this returns: from now on it counts as in flight. */
  onConnection(connection: ClientConnection): void;
  /** No connection could be made; nothing was sent. */
  onConnectFailed(error: TransportError): void;
  /** A circuit breaker is open (503, flag UO); nothing was sent. */
  onOverflow(): void;
}

/** What decides when connections end, as a cluster's configuration says; times in milliseconds, 0 for never. */
export interface ConnectionLimits {
  /** Connecting and, where it is secured, the handshake take at most this long. */
  readonly connectTimeoutMs: number;
  /** TCP keep-alive after so long without a byte; 0 for the system's time, null for none. */
  readonly keepAliveMs: number | null;
  /** A connection that carries nothing is closed after this long, or up to an eighth later. */
  readonly idleTimeoutMs: number;
  /** A connection older than this is closed when it carries nothing. */
  readonly maxDurationMs: number;
  /** A connection is closed after this many requests; 0 for any number. */
  readonly maxRequests: number;
  /** How responses are read. */
  readonly responses: ClientSettings;
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
}

const poolClosed: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the endpoint was removed',
});
/** A connection that has been idle for this many sweeps is closed. */
const sweepsPerIdleTimeout = 8;

/** The two ends of a caller's connection. */
interface ConnectionEnds {
  readonly source: TcpAddress;
  readonly destination: TcpAddress;
}

/** What of a caller's connection says whose requests it brings. */
export type Caller = Pick<
  Connection,
  'upstreamSource' | 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'
>;

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Caller): ConnectionEnds {
  return {
    source: { host: remoteAddress, port: remotePort },
    destination: { host: localAddress, port: localPort },
  };
}

/** The pool of an endpoint that serves what came over `downstream`, for requests of this priority. */
export function poolFor(
  endpoint: Endpoint<ConnectionPool>,
  downstream: Connection,
  priority: RoutingPriority,
): ConnectionPool {
  return endpoint.poolOf(priority).forDownstream(downstream);
}

export class ConnectionPool
  implements ClientConnectionOwner, RawConnectionOwner, EndpointPool, TimerWheelEntry
{
  deadlineMs = -1;
  wheelSlot = -1;
  readonly bytesSent: Counter;
  readonly bytesReceived: Counter;
  private readonly options: ConnectionPoolOptions;
  private readonly endpoint: Endpoint<EndpointPool>;
  private readonly breaker: CircuitBreaker;
  private readonly metrics: ClusterMetrics;
  private readonly maxRequests: number;
  private readonly idle: ClientConnection[] = [];
  /** All connections that were or are being made, with what ends them. */
  private readonly connections = new Map<ClientConnection, ConnectionAge>();
  private readonly rawConnections = new Map<RawConnection, Connection>();
  /** In the order in which they came; a set, so that one can leave from the middle. */
  private readonly waiting = new Set<ConnectionWaiter>();
  /** Those of the waiters that want a connection that carried nothing before. */
  private readonly waitingForFresh = new Set<ConnectionWaiter>();
  /** Told when its last connection has gone; null for a pool that stays. */
  private onEmpty: (() => void) | null = null;
  /** What connections begin with. */
  private readonly preface: Buffer | null;
  /** Pools whose connections are one caller's, by its address; null in such a pool itself, and without any. */
  private byCaller: Map<string, ConnectionPool> | null = null;
  private connecting = 0;
  private isClosed = false;

  /** `caller`: whose connections they are, for the PROXY protocol; without one they are the proxy's own. */
  constructor(options: ConnectionPoolOptions, caller: ConnectionEnds | null = null) {
    this.options = options;
    this.preface =
      options.proxyProtocol === null
        ? null
        : proxyHeader(options.proxyProtocol, caller?.source ?? null, caller?.destination ?? null);
    this.endpoint = options.endpoint;
    this.breaker = options.breaker;
    this.metrics = options.metrics;
    this.maxRequests = options.limits.maxRequests;
    this.bytesSent = options.metrics.bytesSent;
    this.bytesReceived = options.metrics.bytesReceived;
  }

  /**
   * The pool for what came over `downstream`: this one, or where connections tell the upstream who the caller is, by their
   * source address or by a header, one whose connections are nobody else's. That one counts with this one, and ends with it or
   * with its last connection.
   */
  forDownstream(downstream: Caller): ConnectionPool {
    const { upstreamSource } = downstream;
    const { proxyProtocol } = this.options;
    if (upstreamSource === null && proxyProtocol === null) return this;
    const caller = proxyProtocol === null ? null : endsOf(downstream);
    const key = `${upstreamSource?.host} ${upstreamSource?.mark} ${JSON.stringify(caller)}`;
    let pool = this.byCaller?.get(key);
    if (pool === undefined) {
      pool = new ConnectionPool({ ...this.options, source: upstreamSource ?? this.options.source }, caller);
      pool.onEmpty = () => this.byCaller?.delete(key);
      if (this.isClosed) pool.close();
      else (this.byCaller ??= new Map()).set(key, pool);
    }
    return pool;
  }

  /** Hands an idle connection over at once, or one that is made for the purpose, or one that becomes idle before that. */
  acquire(waiter: ConnectionWaiter): void {
    const connection = this.idle.pop();
    if (connection === undefined) this.enqueue(waiter, this.waiting);
    else this.handOver(connection, waiter);
  }

  /** Like `acquire`, but never a connection that carried a request before: its peer may be about to close it. */
  acquireFresh(waiter: ConnectionWaiter): void {
    // What lies idle is at least as old as the one that has just failed: a peer that closed one has closed them all.
    for (const connection of this.idle.splice(0)) connection.close();
    this.enqueue(waiter, this.waitingForFresh);
  }

  /**
   * Starts to make a connection of `handler`'s own, for bytes that are no HTTP: never shared, never reused, counted like
   * the others. Null where the circuit breaker takes no more (flag UO) or the endpoint is gone; nothing was begun then.
   * Whoever writes to it adds the bytes to `bytesSent`.
   */
  connectRaw(handler: ConnectionHandler): Connection | null {
    const { metrics, options } = this;
    if (this.isClosed) return null;
    if (!this.breaker.connections.takesMore) {
      metrics.connectionOverflows.value++;
      return null;
    }
    metrics.requestsPendingTotal.value++;
    this.countBegun();
    const raw = new RawConnection(this, handler, options.clock.monotonic());
    const connection = options.transport.connect(
      {
        address: this.endpoint.target,
        security: options.security,
        source: options.source,
        preface: this.preface,
        timeoutMs: options.limits.connectTimeoutMs,
        keepAliveMs: options.limits.keepAliveMs,
      },
      raw,
    );
    this.rawConnections.set(raw, connection);
    return connection;
  }

  /** Takes back a waiter that no longer wants a connection. */
  cancel(waiter: ConnectionWaiter): void {
    if (!this.waiting.delete(waiter) && !this.waitingForFresh.delete(waiter)) return;
    this.countPendingEnd();
    this.metrics.requestsCancelled.value++;
  }

  /**
   * The endpoint is gone: idle connections are closed, busy ones when they become idle; raw ones live on. Who waits
   * already still gets a connection: the instance may know of the request.
   */
  close(): void {
    this.isClosed = true;
    this.options.timers.disarm(this);
    for (const connection of this.idle.splice(0)) connection.close();
    for (const pool of this.byCaller?.values() ?? []) pool.close();
    this.byCaller = null;
  }

  /** Drops all connections, those that carry something too (`close_connections_on_host_health_failure`). */
  dropConnections(): void {
    this.idle.length = 0;
    for (const connection of [...this.connections.keys()]) connection.close();
    for (const connection of [...this.rawConnections.values()]) connection.destroy();
    for (const pool of [...(this.byCaller?.values() ?? [])]) pool.dropConnections();
  }

  // ClientConnectionOwner

  onConnected(connection: ClientConnection): void {
    this.connecting--;
    this.metrics.connectTimeMs.observe(this.ageOf(connection));
    const { maxDurationMs } = this.options.limits;
    if (maxDurationMs > 0) this.options.timers.arm(this.connections.get(connection)!, maxDurationMs);
    this.onReusable(connection);
  }

  onExchangeEnded(): void {
    this.countRequestEnd();
  }

  onReusable(connection: ClientConnection): void {
    if (connection.requestCount > 0) {
      if (this.maxRequests > 0 && connection.requestCount >= this.maxRequests) {
        this.metrics.maxRequestsReached.value++;
        connection.close();
        return;
      }
      // One that wants a fresh connection may wait for the room that this one takes.
      if (connection.isTooOld || this.waitingForFresh.size > this.connecting) {
        connection.close();
        return;
      }
    }
    const waiter = this.nextFor(connection);
    if (waiter !== undefined) this.handOver(connection, waiter);
    else if (this.isClosed) connection.close();
    else this.keep(connection);
  }

  onGone(connection: ClientConnection, error: TransportError | null): void {
    const age = this.connections.get(connection)!;
    this.connections.delete(connection);
    this.options.timers.disarm(age);
    this.countGone(age.startedAt, error, connection.isClosedHere, connection.wasBusy);
    if (error === null) {
      this.takeFromIdle(connection);
      if (connection.wasToldToClose) this.metrics.closeNotifications.value++;
      if (connection.hasBrokenProtocol) this.metrics.protocolErrors.value++;
    } else {
      this.connecting--;
      this.failWaiting(error);
    }
    this.connectForWaiting();
    this.endIfEmpty();
  }

  // RawConnectionOwner

  onRawConnected(connection: RawConnection): void {
    this.metrics.connectTimeMs.observe(this.options.clock.monotonic() - connection.startedAt);
    this.countRequest();
  }

  onRawData(length: number): void {
    this.bytesReceived.value += length;
  }

  onRawGone(connection: RawConnection, error: TransportError | null, closedHere: boolean): void {
    this.rawConnections.delete(connection);
    if (error === null) this.countRequestEnd();
    else this.metrics.pendingFailures.value++;
    this.countGone(connection.startedAt, error, closedHere, error === null);
    this.connectForWaiting();
    this.endIfEmpty();
  }

  // TimerWheelEntry

  /** Looks for connections that nobody has used for the idle timeout; a request pays nothing for that. */
  onTimeout(): void {
    for (const connection of this.idle.splice(0)) {
      if (++connection.idleSweeps <= sweepsPerIdleTimeout) {
        this.idle.push(connection);
        continue;
      }
      this.metrics.idleTimeouts.value++;
      connection.close();
    }
    this.armSweep();
  }

  /** @internal The connection has lived for its maximum. */
  onTooOld(connection: ClientConnection): void {
    this.metrics.maxDurationsReached.value++;
    connection.isTooOld = true;
    if (this.takeFromIdle(connection)) connection.close();
  }

  private handOver(connection: ClientConnection, waiter: ConnectionWaiter): void {
    if (!this.breaker.requests.takesMore) {
      this.keep(connection);
      this.metrics.requestOverflows.value++;
      waiter.onOverflow();
      return;
    }
    this.countRequest();
    waiter.onConnection(connection);
  }

  private keep(connection: ClientConnection): void {
    connection.idleSweeps = 0;
    this.idle.push(connection);
    if (this.wheelSlot < 0) this.armSweep();
  }

  private takeFromIdle(connection: ClientConnection): boolean {
    const index = this.idle.indexOf(connection);
    if (index < 0) return false;
    this.idle.splice(index, 1);
    return true;
  }

  private armSweep(): void {
    const { timers, limits } = this.options;
    if (this.idle.length === 0 || limits.idleTimeoutMs === 0) return;
    timers.arm(this, limits.idleTimeoutMs / sweepsPerIdleTimeout);
  }

  private enqueue(waiter: ConnectionWaiter, queue: Set<ConnectionWaiter>): void {
    if (this.isClosed) {
      waiter.onConnectFailed(poolClosed);
      return;
    }
    if (!this.breaker.pendingRequests.takesMore) {
      this.metrics.requestOverflows.value++;
      waiter.onOverflow();
      return;
    }
    queue.add(waiter);
    this.breaker.pendingRequests.add();
    this.metrics.requestsPendingTotal.value++;
    this.metrics.requestsPending.value++;
    this.connectForWaiting();
  }

  /** The waiter that a connection is for, no longer waiting. */
  private nextFor(connection: ClientConnection): ConnectionWaiter | undefined {
    const queue =
      connection.requestCount === 0 && this.waitingForFresh.size > 0 ? this.waitingForFresh : this.waiting;
    if (queue.size === 0) return undefined;
    const [first] = queue;
    queue.delete(first!);
    this.countPendingEnd();
    return first;
  }

  /** Nobody can tell the waiters' chances apart: where one connection fails, all who wait look elsewhere. */
  private failWaiting(error: TransportError): void {
    const failed = [...this.waitingForFresh, ...this.waiting];
    this.waitingForFresh.clear();
    this.waiting.clear();
    for (const waiter of failed) {
      this.countPendingEnd();
      this.metrics.pendingFailures.value++;
      waiter.onConnectFailed(error);
    }
  }

  private connectForWaiting(): void {
    while (this.connecting < this.waiting.size + this.waitingForFresh.size) {
      // An endpoint may always have one, or requests would wait for others' connections to end.
      if (!this.takesConnection()) {
        this.metrics.connectionOverflows.value++;
        if ((this.onEmpty === null ? this.endpoint.connections : this.connections.size) > 0) return;
      }
      this.connect();
    }
  }

  private takesConnection(): boolean {
    const { breaker } = this;
    return (
      breaker.connections.takesMore && this.endpoint.connections < breaker.limits.maxConnectionsPerEndpoint
    );
  }

  private connect(): void {
    const { transport, security, source, limits, clock } = this.options;
    this.connecting++;
    this.countBegun();
    this.metrics.http1ConnectionsTotal.value++;
    const connection = new ClientConnection(this, this.options.limits.responses);
    this.connections.set(connection, new ConnectionAge(this, connection, clock.monotonic()));
    connection.attach(
      transport.connect(
        {
          address: this.endpoint.target,
          security,
          source,
          preface: this.preface,
          timeoutMs: limits.connectTimeoutMs,
          keepAliveMs: limits.keepAliveMs,
        },
        connection,
      ),
    );
  }

  private endIfEmpty(): void {
    const { connections, rawConnections, waiting, waitingForFresh } = this;
    if (connections.size + rawConnections.size + waiting.size + waitingForFresh.size === 0) this.onEmpty?.();
  }

  private ageOf(connection: ClientConnection): number {
    return this.options.clock.monotonic() - this.connections.get(connection)!.startedAt;
  }

  private countBegun(): void {
    const { metrics, endpoint } = this;
    this.breaker.connections.add();
    metrics.connectionsTotal.value++;
    metrics.connectionsActive.value++;
    endpoint.connections++;
    endpoint.connectionsTotal++;
  }

  private countGone(
    startedAt: number,
    error: TransportError | null,
    closedHere: boolean,
    wasBusy: boolean,
  ): void {
    const { metrics, endpoint } = this;
    this.breaker.connections.remove();
    metrics.connectionsActive.value--;
    endpoint.connections--;
    metrics.connectionsDestroyed.value++;
    (closedHere ? metrics.destroyedLocally : metrics.destroyedRemotely).value++;
    if (error === null) {
      metrics.connectionLengthMs.observe(this.options.clock.monotonic() - startedAt);
      if (!wasBusy) return;
      metrics.destroyedWithRequest.value++;
      (closedHere ? metrics.destroyedLocallyWithRequest : metrics.destroyedRemotelyWithRequest).value++;
      return;
    }
    metrics.connectFailures.value++;
    endpoint.connectFailures++;
    if (error.kind === 'connect-timeout') metrics.connectTimeouts.value++;
  }

  private countPendingEnd(): void {
    this.breaker.pendingRequests.remove();
    this.metrics.requestsPending.value--;
  }

  private countRequest(): void {
    const { metrics, endpoint } = this;
    this.breaker.requests.add();
    metrics.requestsTotal.value++;
    metrics.requestsActive.value++;
    endpoint.activeRequests++;
    endpoint.requestsTotal++;
  }

  private countRequestEnd(): void {
    this.breaker.requests.remove();
    this.metrics.requestsActive.value--;
    this.endpoint.activeRequests--;
  }
}
