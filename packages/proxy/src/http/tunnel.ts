// Hot path: `onData` runs per chunk.
// Bytes both ways between a client and an upstream, after an upgrade or CONNECT: no HTTP any more, whatever they look like.
import type { TimerWheel, TimerWheelEntry } from '@heddle/base';
import { type ByteCount, uncounted } from '../codec/byte-count.ts';
import type { ServerStream } from '../codec/server-stream.ts';
import type { PendingBytes } from '../http1/pending-bytes.ts';
import type { ConnectionTotals } from '../stats/traffic-metrics.ts';
import type { ByteStream, ConnectionHandler, TransportError } from '../transport/transport.ts';

/** Why a tunnel ended. `finished`: both sides said that they were done. */
export type TunnelEnding = 'finished' | 'client-gone' | 'upstream-gone' | 'idle' | 'given-up';

/** Told about the life of a tunnel. */
export interface TunnelOwner {
  /** The upstream's connection, made for the tunnel alone, is there. Not called after an upgrade. */
  onTunnelConnected(): void;
  onTunnelConnectFailed(error: TransportError): void;
  /** The last call; what is still open of both ends is dropped behind it. */
  onTunnelClosed(ending: TunnelEnding): void;
}

const notConnected: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});

/** One of the two ends. What arrives here is written to the other. */
class TunnelEnd implements ConnectionHandler {
  stream: ByteStream | null = null;
  received = 0;
  hasEnded = false;
  /** What is written here counts there. */
  readonly sent: ByteCount;
  private readonly total: ByteCount;
  private readonly tunnel: Tunnel;

  /** `total`: where what arrives is added up over all tunnels. */
  constructor(tunnel: Tunnel, sent: ByteCount, total: ByteCount) {
    this.tunnel = tunnel;
    this.sent = sent;
    this.total = total;
  }

  onConnect(): void {
    this.tunnel.onConnected();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.received += end - start;
    this.total.value += end - start;
    this.tunnel.sawActivity = true;
    const { stream, sent } = this.tunnel.otherEnd(this);
    if (stream === null) return;
    sent.value += end - start;
    if (!stream.write(buffer, start, end)) this.stream?.pauseReading();
  }

  /** Half-close: what this side has said goes on, and the other may still answer. */
  onEnd(): void {
    this.hasEnded = true;
    this.tunnel.otherEnd(this).stream?.end();
  }

  onDrain(): void {
    this.tunnel.otherEnd(this).stream?.resumeReading();
  }

  onClose(error: TransportError | null): void {
    this.stream = null;
    this.tunnel.onEndClosed(this, error);
  }
}

export class Tunnel implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly client: TunnelEnd;
  readonly upstream: TunnelEnd;
  sawActivity = false;
  private readonly owner: TunnelOwner;
  private readonly timers: TimerWheel;
  private readonly idleTimeoutMs: number;
  private readonly totals: ConnectionTotals | null;
  isOpen = false;
  private isClosed = false;

  /** `idleTimeoutMs` of 0 is none. `totals`: where it counts as a TCP connection, if anywhere. */
  constructor(
    owner: TunnelOwner,
    clientSent: ByteCount,
    upstreamSent: ByteCount,
    timers: TimerWheel,
    idleTimeoutMs: number,
    totals: ConnectionTotals | null,
  ) {
    this.client = new TunnelEnd(this, clientSent, totals?.received ?? uncounted);
    this.upstream = new TunnelEnd(this, upstreamSent, totals?.sent ?? uncounted);
    this.totals = totals;
    this.owner = owner;
    this.timers = timers;
    this.idleTimeoutMs = idleTimeoutMs;
  }

  /** Both connections are there and belong to the tunnel from here on. `early`: what the client has sent before. */
  open(client: ServerStream, upstream: ByteStream, early: PendingBytes): void {
    this.isOpen = true;
    if (this.totals !== null) this.totals.opened.value++;
    this.upstream.stream = upstream;
    if (this.idleTimeoutMs > 0) this.timers.arm(this, this.idleTimeoutMs);
    if (early.length > 0) this.client.onData(early.bytes, 0, early.length);
    early.clear();
    this.client.stream = client.startTunnel(this.client);
  }

  otherEnd(end: TunnelEnd): TunnelEnd {
    return end === this.client ? this.upstream : this.client;
  }

  onConnected(): void {
    if (!this.isClosed) this.owner.onTunnelConnected();
  }

  onEndClosed(end: TunnelEnd, error: TransportError | null): void {
    if (!this.isOpen) {
      if (this.isClosed) return;
      this.isClosed = true;
      this.owner.onTunnelConnectFailed(error ?? notConnected);
      return;
    }
    if (error === null && this.client.hasEnded && this.upstream.hasEnded) this.close('finished');
    else this.close(end === this.client ? 'client-gone' : 'upstream-gone');
  }

  /** Drops both connections; a connection that was still being made, too. */
  close(ending: TunnelEnding): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.timers.disarm(this);
    const { client, upstream, isOpen, totals } = this;
    if (isOpen && totals !== null) totals.closed.value++;
    // First: who owns it may serve somebody else as soon as the client's stream is gone.
    if (isOpen) this.owner.onTunnelClosed(ending);
    // What has been written to an end that finished in order may still be on its way: it closes by itself.
    if (ending === 'finished') return;
    if (isOpen) client.stream?.destroy();
    upstream.stream?.destroy();
  }

  onTimeout(): void {
    if (this.sawActivity) {
      this.sawActivity = false;
      this.timers.arm(this, this.idleTimeoutMs);
      return;
    }
    this.close('idle');
  }
}
