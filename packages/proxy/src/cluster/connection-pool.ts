// Hot path.
// The connections to one endpoint: idle ones are taken last in, first out, so that few stay warm and the rest may age.
import { ClientConnection, type ClientConnectionOwner } from '../http1/client-connection.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import type { EndpointPool } from './endpoint.ts';
import type { LinkSecurity } from '../tls/link-security.ts';
import type {
  Connection,
  ConnectionHandler,
  Transport,
  TransportAddress,
  TransportError,
} from '../transport/transport.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { RawConnection, type RawConnectionOwner } from './raw-connection.ts';

/** What waits for a connection. Exactly one of the two is called, perhaps before `acquire` returns. */
export interface ConnectionWaiter {
  onConnection(connection: ClientConnection): void;
  /** No connection could be made; nothing was sent. */
  onConnectFailed(error: TransportError): void;
}

export interface ConnectionPoolOptions {
  readonly metrics: ClusterMetrics;
  /** The cluster's, shared by the pools of all its endpoints. */
  readonly breaker: CircuitBreaker;
  readonly transport: Transport;
  readonly address: TransportAddress;
  readonly security: LinkSecurity | null;
  readonly connectTimeoutMs: number;
}

const poolClosed: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the endpoint was removed',
});

export class ConnectionPool implements ClientConnectionOwner, RawConnectionOwner, EndpointPool {
  private readonly options: ConnectionPoolOptions;
  private readonly idle: ClientConnection[] = [];
  private readonly waiting: ConnectionWaiter[] = [];
  private connecting = 0;
  private closed = false;

  constructor(options: ConnectionPoolOptions) {
    this.options = options;
  }

  /** Hands an idle connection over at once, or one that is made for the purpose, or one that becomes idle before that. */
  acquire(waiter: ConnectionWaiter): void {
    const connection = this.idle.pop();
    if (connection !== undefined) {
      waiter.onConnection(connection);
      return;
    }
    if (this.closed) {
      waiter.onConnectFailed(poolClosed);
      return;
    }
    this.waiting.push(waiter);
    if (this.connecting < this.waiting.length) this.connect();
  }

  /** Like `acquire`, but never a connection that carried a request before: its peer may be about to close it. */
  acquireFresh(waiter: ConnectionWaiter): void {
    // What lies idle is at least as old as the one that has just failed: a peer that closed one has closed them all.
    for (const connection of this.idle.splice(0)) connection.close();
    this.acquire(waiter);
  }

  /**
   * Starts to make a connection of `handler`'s own, for bytes that are no HTTP: never shared, never reused, counted like
   * the others. Null where the circuit breaker takes no more (flag UO) or the endpoint is gone; nothing was begun then.
   * Whoever writes to it adds the bytes to `bytesSent` of the cluster's metrics.
   */
  connectRaw(handler: ConnectionHandler): Connection | null {
    const { transport, address, security, connectTimeoutMs, metrics, breaker } = this.options;
    if (this.closed) return null;
    if (!breaker.takesConnection) {
      metrics.connectionOverflows.value++;
      return null;
    }
    breaker.connections++;
    metrics.connectionsTotal.value++;
    return transport.connect(
      { address, security, timeoutMs: connectTimeoutMs },
      new RawConnection(this, handler),
    );
  }

  /** Takes back a waiter that no longer wants a connection. */
  cancel(waiter: ConnectionWaiter): void {
    const index = this.waiting.indexOf(waiter);
    if (index >= 0) this.waiting.splice(index, 1);
  }

  /** The endpoint is gone: idle connections are closed, busy ones when they become idle. */
  close(): void {
    this.closed = true;
    for (const connection of this.idle.splice(0)) connection.close();
  }

  // ClientConnectionOwner

  onConnected(connection: ClientConnection): void {
    this.connecting--;
    this.options.metrics.connectionsActive.value++;
    this.onReusable(connection);
  }

  onReusable(connection: ClientConnection): void {
    const waiter = this.waiting.shift();
    if (waiter !== undefined) waiter.onConnection(connection);
    else if (this.closed) connection.close();
    else this.idle.push(connection);
  }

  onGone(connection: ClientConnection, error: TransportError | null): void {
    this.options.breaker.connections--;
    if (error !== null) {
      this.connecting--;
      this.countFailure(error);
      this.waiting.shift()?.onConnectFailed(error);
      return;
    }
    this.options.metrics.connectionsActive.value--;
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  // RawConnectionOwner

  onRawConnected(): void {
    this.options.metrics.connectionsActive.value++;
  }

  onRawData(length: number): void {
    this.options.metrics.bytesReceived.value += length;
  }

  onRawGone(error: TransportError | null): void {
    this.options.breaker.connections--;
    if (error === null) this.options.metrics.connectionsActive.value--;
    else this.countFailure(error);
  }

  private countFailure(error: TransportError): void {
    const { metrics } = this.options;
    metrics.connectFailures.value++;
    if (error.kind === 'connect-timeout') metrics.connectTimeouts.value++;
  }

  private connect(): void {
    const { transport, address, security, connectTimeoutMs, metrics, breaker } = this.options;
    this.connecting++;
    breaker.connections++;
    metrics.connectionsTotal.value++;
    const connection = new ClientConnection(this);
    connection.attach(transport.connect({ address, security, timeoutMs: connectTimeoutMs }, connection));
  }
}
