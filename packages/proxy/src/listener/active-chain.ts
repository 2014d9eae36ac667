// A filter chain in force: limits, then TLS, then what serves the connections.
import type { Clock, TimerWheel } from '@heddle/base';
import type { MetricScope } from '@heddle/telemetry';
import type { AccessLog } from '../access-log/access-log.ts';
import type { LoggedEntry } from '../access-log/access-log-filter.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { FilterChainConfig, ListenerConfig } from '../config/listener-config.ts';
import { buildConnectionFilters } from '../policy/build-connection-filters.ts';
import type { StackEnvironment } from '../stack/http-stack.ts';
import { buildTcpStack } from '../stack/tcp-stack.ts';
import { TlsMetrics } from '../stats/tls-metrics.ts';
import { TcpConnections } from '../tcp/tcp-connections.ts';
import type { LinkSecurity, SecretProvider } from '../tls/link-security.ts';
import { linkSecurityOf } from '../tls/link-security-of.ts';
import type { AcceptHandler, Connection, ConnectionHandler, Transport } from '../transport/transport.ts';
import { ActiveLimit } from './active-limit.ts';
import type { ConnectionGroup, ConnectionObserver } from './connection-group.ts';
import { GuardedConnections } from './guarded-connections.ts';
import { HttpConnections } from './http-connections.ts';
import { RefusedConnection } from './refused-connection.ts';
import { SecuringConnection, type SecuringOwner } from './securing-connection.ts';

type Direction = ListenerConfig<ConnectionPool>['direction'];

/** The listener that a chain belongs to. */
export interface ChainOwner extends ConnectionObserver {
  readonly name: string;
  /** The listener in the names of counters. */
  readonly statAddress: string;
  /** A connection has come to a chain; `onClosed` is called when it is gone. */
  onOpened(): void;
  onHandshakeTimeout(): void;
}

/** What chains need of whoever holds their listener. */
export interface ChainHost {
  readonly transport: Transport;
  readonly environment: StackEnvironment;
  readonly secrets: SecretProvider;
}

export class ActiveChain implements ConnectionObserver, SecuringOwner {
  private readonly group: ConnectionGroup;
  private readonly security: LinkSecurity | null;
  private readonly limits: readonly ActiveLimit[];
  private readonly handshakeTimeoutMs: number;
  private readonly owner: ChainOwner;
  private readonly transport: Transport;
  private readonly timers: TimerWheel;
  private readonly clock: Clock;
  private readonly key: string;
  /** Where the settings can be replaced under live connections; null where a change needs another chain. */
  private readonly http: HttpConnections | null;
  private readonly giveBack: () => void;
  private readonly scope: MetricScope;
  /** Connections that are not with the group yet, or never will be. */
  private readonly pending = new Map<ConnectionHandler, Connection>();
  /** Who waits for the end of the last of them. */
  private readonly settled: (() => void)[] = [];

  constructor(
    config: FilterChainConfig<ConnectionPool>,
    direction: Direction,
    owner: ChainOwner,
    { transport, environment, secrets }: ChainHost,
  ) {
    const { filter, tls, limits, connectionFilters } = config;
    const { registry, context, counts } = environment;
    this.key = chainKey(config);
    this.owner = owner;
    this.transport = transport;
    this.timers = context.timers;
    this.clock = context.clock;
    this.handshakeTimeoutMs = config.handshakeTimeoutMs;
    this.scope = registry.scope();
    this.limits = limits.map(
      (limit, index) =>
        new ActiveLimit(limit, `limit ${owner.name} ${this.key} ${index}`, counts, this.scope),
    );
    const listenerAddress = owner.statAddress;
    this.security =
      tls === null ? null : linkSecurityOf(tls, secrets, new TlsMetrics(this.scope, { listenerAddress }));
    const guard = (group: ConnectionGroup, logs: readonly AccessLog[]): ConnectionGroup => {
      if (connectionFilters.length === 0) return group;
      const filters = buildConnectionFilters(connectionFilters, this.scope);
      return new GuardedConnections(group, filters, logs, context.clock, this);
    };
    if (filter.kind === 'http') {
      const http = new HttpConnections({ ...filter, tls, direction, listenerAddress }, environment, this);
      this.http = http;
      this.group = guard(http, []);
      this.giveBack = () => http.close();
    } else {
      const stack = buildTcpStack(filter, direction, environment);
      this.http = null;
      this.group = guard(new TcpConnections(stack.settings, context, this), stack.settings.accessLogs);
      this.giveBack = () => stack.close();
    }
  }

  /** Open connections. */
  get size(): number {
    return this.group.size + this.pending.size;
  }

  /** Those that are in the middle of something: an exchange, a relayed byte stream. */
  get busy(): number {
    return this.group.busy;
  }

  get hasAccessLogs(): boolean {
    return this.owner.hasAccessLogs;
  }

  /** Takes a connection of which nothing has been read. */
  accept(connection: Connection): ConnectionHandler {
    this.owner.onOpened();
    for (let index = 0; index < this.limits.length; index++) {
      if (!this.limits[index]!.enter()) return this.refuse(connection, index);
    }
    return this.security === null ? this.group.accept(connection) : this.secure(connection);
  }

  /** Takes a connection whose first bytes, `buffer[start, end)`, others have looked at. */
  takeOver(connection: Connection, buffer: Buffer, start: number, end: number): void {
    const handler = this.accept(connection);
    connection.setHandler(handler);
    if (end > start) handler.onData(buffer, start, end);
  }

  /**
   * Goes on with a changed configuration if its connections can; false where they can't: then it is to be drained and
   * another one takes its place.
   */
  update(config: FilterChainConfig<ConnectionPool>, direction: Direction): boolean {
    if (chainKey(config) !== this.key) return false;
    const { filter, tls } = config;
    const listenerAddress = this.owner.statAddress;
    if (filter.kind === 'http') this.http?.update({ ...filter, tls, direction, listenerAddress });
    return true;
  }

  /** Closes what is idle and lets the rest come to its end. */
  drain(): void {
    this.group.drain();
  }

  /** Asks those to go whom the drain that runs wants gone by now. */
  dismiss(): void {
    this.group.dismiss();
  }

  /** Resolves when no connection is open any more. */
  async whenEmpty(): Promise<void> {
    while (this.size > 0) {
      await Promise.all([this.group.whenEmpty(), this.whenSettled()]);
    }
  }

  /** Drops everything at once. */
  destroy(): void {
    for (const connection of [...this.pending.values()]) connection.destroy();
    this.group.destroy();
  }

  /** Gives back what it holds. To be called when no connection is left. */
  close(): void {
    this.giveBack();
    for (const limit of this.limits) limit.close();
    this.scope.close();
  }

  // ConnectionObserver

  onClosed(connection: Connection, lengthMs: number, entry: LoggedEntry | null): void {
    for (const limit of this.limits) limit.leave();
    this.owner.onClosed(connection, lengthMs, entry);
  }

  // SecuringOwner

  onHello(securing: SecuringConnection, buffer: Buffer, start: number, end: number): void {
    const accept: AcceptHandler = (secured) => {
      this.timers.disarm(securing);
      this.forget(securing);
      return this.group.accept(secured);
    };
    const { connection } = securing;
    const onFailed = (): void => this.onHandshakeFailed(securing);
    // Only secured chains have such connections.
    this.transport.secure(connection, buffer.subarray(start, end), this.security!, accept, onFailed);
  }

  onHandshakeTimeout(): void {
    this.owner.onHandshakeTimeout();
  }

  onHandshakeFailed(securing: SecuringConnection): void {
    this.timers.disarm(securing);
    const { connection, startedAt, isTimedOut } = securing;
    const lengthMs = this.clock.monotonic() - startedAt;
    this.group.abandon(true, isTimedOut, lengthMs);
    this.onClosed(connection, lengthMs, null);
    this.forget(securing);
  }

  private secure(connection: Connection): ConnectionHandler {
    this.group.begin(true);
    const securing = new SecuringConnection(connection, this, this.clock.monotonic());
    if (this.handshakeTimeoutMs > 0) this.timers.arm(securing, this.handshakeTimeoutMs);
    this.pending.set(securing, connection);
    return securing;
  }

  /** `index`: the limit beyond which the connection is. */
  private refuse(connection: Connection, index: number): ConnectionHandler {
    const isSecured = this.security !== null;
    this.group.begin(isSecured);
    const startedAt = this.clock.monotonic();
    const { delayMs } = this.limits[index]!.config;
    const refused = new RefusedConnection(connection, this.clock, delayMs, (closedHere) => {
      const lengthMs = this.clock.monotonic() - startedAt;
      for (let at = 0; at <= index; at++) this.limits[at]!.leave();
      this.group.abandon(isSecured, closedHere, lengthMs);
      this.owner.onClosed(connection, lengthMs, null);
      this.forget(refused);
    });
    this.pending.set(refused, connection);
    return refused;
  }

  private forget(handler: ConnectionHandler): void {
    this.pending.delete(handler);
    if (this.pending.size > 0) return;
    for (const resolve of this.settled.splice(0)) resolve();
  }

  private whenSettled(): Promise<void> {
    if (this.pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.settled.push(resolve);
    });
  }
}

/** Chains with the same key serve the same connections in the same way, apart from what can be replaced while they run. */
function chainKey(config: FilterChainConfig<ConnectionPool>): string {
  const { fingerprint, name, match, tls, handshakeTimeoutMs, limits, connectionFilters, filter } = config;
  // A policy that changes has to decide about connections that are there already, too: they are drained.
  if (filter.kind === 'tcp' || connectionFilters.length > 0) return `${fingerprint} ${tlsKey(tls)}`;
  return JSON.stringify([name, match, tlsKey(tls), filter.kind, limits, handshakeTimeoutMs]);
}

/** What of a TLS context needs another handshake when it changes. */
function tlsKey(tls: FilterChainConfig<ConnectionPool>['tls']): string {
  // Certificates and keys print as digests of theirs.
  return JSON.stringify(tls);
}
