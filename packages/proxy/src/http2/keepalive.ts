// PING of our own (`connection_keepalive`): finds out about peers that are gone without a word.
import type { Random, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { Http2Options } from './http2-options.ts';

/** Who sends and hears of PINGs. */
export interface KeepaliveOwner {
  sendPing(payload: number): void;
  /** No answer came in time, nor anything else. */
  onKeepaliveTimeout(): void;
}

/** Whether a connection wants one. */
export function keepsAlive(options: Http2Options): boolean {
  return (
    options.keepaliveTimeoutMs > 0 && (options.keepaliveIntervalMs > 0 || options.keepaliveIdleIntervalMs > 0)
  );
}

/** The keep-alive of one connection: waits for the time of the next PING, or for the answer to the last. */
export class Keepalive implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly owner: KeepaliveOwner;
  private readonly options: Http2Options;
  private readonly timers: TimerWheel;
  private readonly random: Random;
  private pings = 0;
  private isWaiting = false;
  private lastReceivedMs = 0;

  constructor(owner: KeepaliveOwner, options: Http2Options, timers: TimerWheel, random: Random) {
    this.owner = owner;
    this.options = options;
    this.timers = timers;
    this.random = random;
  }

  /** The connection is made. */
  start(nowMs: number): void {
    this.lastReceivedMs = nowMs;
    this.armInterval();
  }

  stop(): void {
    this.timers.disarm(this);
  }

  /** Bytes have come: the peer lives, and its answer may be behind them (Envoy counts any frame). */
  onReceived(nowMs: number): void {
    this.lastReceivedMs = nowMs;
    if (this.isWaiting) this.timers.arm(this, this.options.keepaliveTimeoutMs, nowMs);
  }

  /** A PING was answered; `payload` is what `sendPing` was given. */
  onAnswer(payload: number): void {
    if (!this.isWaiting || payload !== this.pings) return;
    this.isWaiting = false;
    this.timers.disarm(this);
    this.armInterval();
  }

  /** A stream is about to be opened: on a connection that has been silent for long, a PING tells soon whether it lives. */
  onNewStream(nowMs: number): void {
    const { keepaliveIdleIntervalMs } = this.options;
    if (keepaliveIdleIntervalMs === 0 || this.isWaiting) return;
    if (nowMs - this.lastReceivedMs >= keepaliveIdleIntervalMs) this.ping();
  }

  onTimeout(): void {
    if (this.isWaiting) this.owner.onKeepaliveTimeout();
    else this.ping();
  }

  private ping(): void {
    this.isWaiting = true;
    this.timers.disarm(this);
    this.timers.arm(this, this.options.keepaliveTimeoutMs);
    this.owner.sendPing(++this.pings);
  }

  private armInterval(): void {
    const { keepaliveIntervalMs, keepaliveJitterPercent } = this.options;
    if (keepaliveIntervalMs === 0) return;
    const jitter = (keepaliveIntervalMs * keepaliveJitterPercent * this.random.float()) / 100;
    this.timers.arm(this, keepaliveIntervalMs + jitter);
  }
}
