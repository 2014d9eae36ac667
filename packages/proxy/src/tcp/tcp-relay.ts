// Hot path.
// One client's byte stream and its upstream's: what comes in on one side goes out on the other. Five objects a connection:
// the relay, its upstream's handler, the pool's, and the two connections; none per chunk.
import { type TimerWheelEntry, invariant } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import { type ConnectionPool, poolFor } from '../cluster/connection-pool.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { PickOrigin } from '../cluster/load-balancer.ts';
import type {
  ByteStream,
  Connection,
  ConnectionHandler,
  TransportError,
  TcpAddress,
} from '../transport/transport.ts';
import type { ConnectionTotals } from '../stats/traffic-metrics.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import { ConnectTunnel } from './connect-tunnel.ts';
import { type TcpContext, type TcpSettings, pickCluster } from './tcp-settings.ts';

/** Told when a relay is over. */
export interface TcpRelayOwner {
  onRelayClosed(relay: TcpRelay): void;
}

/** What the relay's two connections are doing. */
const Phase = { connecting: 0, relaying: 1, closed: 2 } as const;

/** Relays one accepted connection, to whose handler `start` makes it. */
export class TcpRelay implements ConnectionHandler, TimerWheelEntry, PickOrigin {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly downstream: Connection;
  /** From and to the client. */
  bytesReceived = 0;
  bytesSent = 0;
  /** Envoy's short flags, joined by commas; empty for none. */
  flags = '';
  upstreamCluster = '';
  upstreamHost = '';
  upstreamFailure = '';
  readonly startedAt: number;
  upstream: ByteStream | null = null;
  /** `address:port` of this side of the upstream; empty before it is there. */
  upstreamLocalAddress = '';

  private readonly settings: TcpSettings;
  private readonly context: TcpContext;
  private readonly owner: TcpRelayOwner;
  private readonly duration: DurationLimit | null;
  private phase: number = Phase.connecting;
  private attempts = 0;
  private cluster: Cluster<ConnectionPool> | null = null;
  /** Its bytes are its own connection's, not those of a stream, which the shared connection counts. */
  private isUpstreamRaw = true;
  /** Where it is counted by caller and callee; null before that is known. */
  private totals: ConnectionTotals | null = null;
  /** What the client sent before the upstream was there: read by listener filters, or on its way when reading was paused. */
  private early: Buffer | null = null;
  private isDownstreamPaused = false;
  private isUpstreamPaused = false;
  private hasDownstreamEnded = false;
  private isDownstreamOpen = true;
  private isUpstreamOpen = false;

  constructor(downstream: Connection, settings: TcpSettings, context: TcpContext, owner: TcpRelayOwner) {
    this.downstream = downstream;
    this.settings = settings;
    this.context = context;
    this.owner = owner;
    this.startedAt = context.clock.monotonic();
    const { maxConnectionDurationMs } = settings;
    this.duration = maxConnectionDurationMs > 0 ? new DurationLimit(this) : null;
    if (this.duration !== null) context.timers.arm(this.duration, maxConnectionDurationMs);
    // A secured one has been counted when it came.
    if (downstream.tls === null) settings.metrics.connectionsTotal.value++;
    this.pauseDownstream();
    this.connect();
  }

  // The client's side

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const length = end - start;
    this.bytesReceived += length;
    this.settings.metrics.bytesReceived.value += length;
    if (this.totals !== null) this.totals.received.value += length;
    if (this.phase === Phase.relaying) this.sendUp(buffer, start, end);
    else if (this.phase === Phase.connecting) this.keep(buffer, start, end);
  }

  onEnd(): void {
    this.hasDownstreamEnded = true;
    if (this.phase === Phase.relaying) this.upstream!.end();
  }

  onDrain(): void {
    if (!this.isUpstreamPaused || !this.isUpstreamOpen) return;
    this.isUpstreamPaused = false;
    this.touch();
    this.upstream!.resumeReading();
  }

  onClose(error: TransportError | null): void {
    this.isDownstreamOpen = false;
    // After an orderly end of both directions the upstream still takes what waits for it, and its end.
    if (this.isUpstreamOpen && (error !== null || this.phase === Phase.connecting))
      drop(this.upstream!, error);
    this.finishIfOver();
  }

  // TimerWheelEntry: neither side has sent anything for too long.

  onTimeout(): void {
    this.settings.metrics.idleTimeouts.value++;
    this.destroy();
  }

  /** The client has been connected for as long as it may be. */
  onDurationReached(): void {
    this.settings.metrics.durationTimeouts.value++;
    this.addFlag('DT');
    this.destroy();
  }

  // The upstream's side, told by its handler

  onUpstreamConnect(localAddress: string): void {
    this.phase = Phase.relaying;
    this.upstreamLocalAddress = localAddress;
    this.touch();
    const { early } = this;
    this.early = null;
    this.isDownstreamPaused = false;
    // A write that has to wait pauses the client again.
    if (early !== null) this.sendUp(early, 0, early.length);
    if (this.hasDownstreamEnded) this.upstream!.end();
    if (!this.isDownstreamPaused) this.downstream.resumeReading();
  }

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    const length = end - start;
    this.bytesSent += length;
    this.settings.metrics.bytesSent.value += length;
    if (this.totals !== null) this.totals.sent.value += length;
    this.touch();
    if (this.downstream.write(buffer, start, end) || this.isUpstreamPaused) return;
    this.isUpstreamPaused = true;
    this.upstream!.pauseReading();
  }

  onUpstreamEnd(): void {
    this.downstream.end();
  }

  onUpstreamDrain(): void {
    if (!this.isDownstreamPaused || !this.isDownstreamOpen) return;
    this.isDownstreamPaused = false;
    this.settings.metrics.readsResumed.value++;
    this.touch();
    this.downstream.resumeReading();
  }

  onUpstreamClose(error: TransportError | null): void {
    this.isUpstreamOpen = false;
    if (this.phase === Phase.connecting && this.isDownstreamOpen) {
      this.upstreamFailure = error?.detail ?? '';
      this.addFlag('UF');
      this.connect();
      return;
    }
    if (error !== null && this.isDownstreamOpen) drop(this.downstream, error);
    this.finishIfOver();
  }

  /** Drops both sides. */
  destroy(): void {
    this.phase = Phase.closed;
    if (this.isUpstreamOpen) this.upstream!.destroy();
    if (this.isDownstreamOpen) this.downstream.destroy();
  }

  // PickOrigin

  get originalDestination(): TcpAddress | null {
    return this.downstream.originalDestination;
  }

  get pickHash(): null {
    return null;
  }

  get pickAttempt(): number {
    return 0;
  }

  requestHeader(): null {
    return null;
  }

  private connect(): void {
    const { settings, context } = this;
    const slot = pickCluster(settings, context.random);
    const cluster = slot.get();
    if (cluster === null) {
      settings.metrics.connectionsWithoutRoute.value++;
      this.giveUp('NC');
      return;
    }
    this.cluster = cluster;
    this.upstreamCluster = cluster.name;
    if (this.totals === null) this.countOpened();
    if (this.attempts >= settings.maxConnectAttempts) {
      cluster.metrics.connectAttemptsExceeded.value++;
      this.giveUp('URX');
      return;
    }
    const { originalDestination } = this;
    const authority =
      originalDestination === null ? '' : hostPort(originalDestination.host, originalDestination.port);
    const endpoint = cluster.pick(context.random, authority, this);
    if (endpoint === null) {
      cluster.metrics.requestsWithoutEndpoint.value++;
      this.giveUp('UH');
      return;
    }
    this.attempts++;
    const pool = poolFor(endpoint, this.downstream, 'default');
    this.isUpstreamRaw = settings.tunnel === null || !endpoint.takesTunnels;
    if (this.isUpstreamRaw) this.connectRaw(pool, endpoint.address);
    else this.connectTunnel(pool, endpoint.address, settings.tunnel!);
  }

  private countOpened(): void {
    const { downstream, upstreamCluster } = this;
    const peer = { downstreamPeerUriSan: downstream.peerIdentity, upstreamCluster };
    this.totals = this.settings.traffic?.connectionsOf(peer) ?? null;
    if (this.totals !== null) this.totals.opened.value++;
  }

  private connectRaw(pool: ConnectionPool, address: string): void {
    const handler = new UpstreamHandler(this);
    const upstream = pool.connectRaw(handler);
    if (upstream === null) {
      this.giveUp('UO');
      return;
    }
    handler.connection = upstream;
    this.upstreamHost = address;
    this.upstream = upstream;
    this.isUpstreamOpen = true;
  }

  /** A stream of a connection that others share, where the upstream grants it. */
  private connectTunnel(pool: ConnectionPool, address: string, request: OutgoingRequest): void {
    const handler = new UpstreamHandler(this);
    const tunnel = new ConnectTunnel(handler, pool, request, this.context.timers);
    handler.tunnel = tunnel;
    this.upstreamHost = address;
    this.upstream = tunnel;
    this.isUpstreamOpen = true;
    tunnel.start(this.cluster!.config.connections.connectTimeoutMs);
  }

  /** There will be no upstream. */
  private giveUp(flag: string): void {
    this.addFlag(flag);
    this.phase = Phase.closed;
    this.downstream.destroy();
  }

  private sendUp(buffer: Buffer, start: number, end: number): void {
    if (this.isUpstreamRaw) this.cluster!.metrics.bytesSent.value += end - start;
    this.touch();
    if (!this.upstream!.write(buffer, start, end)) this.pauseDownstream();
  }

  private keep(buffer: Buffer, start: number, end: number): void {
    if (this.early === null) this.settings.metrics.earlyData.value++;
    const bytes = buffer.subarray(start, end);
    this.early = Buffer.concat(this.early === null ? [bytes] : [this.early, bytes]);
  }

  private pauseDownstream(): void {
    if (this.isDownstreamPaused) return;
    this.isDownstreamPaused = true;
    if (this.phase === Phase.relaying) this.settings.metrics.readsPaused.value++;
    this.downstream.pauseReading();
  }

  /** Something moved: the idle timeout begins anew. */
  private touch(): void {
    const { idleTimeoutMs } = this.settings;
    if (idleTimeoutMs > 0) this.context.timers.arm(this, idleTimeoutMs);
  }

  private addFlag(flag: string): void {
    if (this.flags === '') this.flags = flag;
    else if (!this.flags.split(',').includes(flag)) this.flags += `,${flag}`;
  }

  private finishIfOver(): void {
    if (this.isDownstreamOpen || this.isUpstreamOpen) return;
    this.phase = Phase.closed;
    if (this.totals !== null) this.totals.closed.value++;
    this.early = null;
    this.context.timers.disarm(this);
    if (this.duration !== null) this.context.timers.disarm(this.duration);
    this.owner.onRelayClosed(this);
  }
}

/** Ends one side as the other one ended: a reset goes through. */
function drop(connection: ByteStream, error: TransportError | null): void {
  if (error?.kind === 'reset') connection.reset();
  else connection.destroy();
}

/** Tells the relay of its upstream: each side of a connection has a handler of its own. */
class UpstreamHandler implements ConnectionHandler {
  /** One of the two: a connection of the relay's own, or a stream. */
  connection: Connection | null = null;
  tunnel: ConnectTunnel | null = null;
  private readonly relay: TcpRelay;

  constructor(relay: TcpRelay) {
    this.relay = relay;
  }

  onConnect(): void {
    const { connection, tunnel } = this;
    this.relay.onUpstreamConnect(
      connection === null ? tunnel!.localAddress : hostPort(connection.localAddress, connection.localPort),
    );
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.relay.onUpstreamData(buffer, start, end);
  }

  onEnd(): void {
    this.relay.onUpstreamEnd();
  }

  onDrain(): void {
    this.relay.onUpstreamDrain();
  }

  onClose(error: TransportError | null): void {
    this.relay.onUpstreamClose(error);
  }
}

/** `max_downstream_connection_duration` of one relay. */
class DurationLimit implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly relay: TcpRelay;

  constructor(relay: TcpRelay) {
    this.relay = relay;
  }

  onTimeout(): void {
    this.relay.onDurationReached();
  }
}
