// Hot path.
// How long a request may take, in all the ways that Envoy knows. One object per client connection; timers that most
// listeners don't have are made for the first request that needs them.
import type { TimerWheel, TimerWheelEntry } from '@heddle/base';
import { IdleWatch, type IdleWatched } from './idle-watch.ts';

/** Told that a limit is over. Called for exchanges that have ended, too, where a timer was left armed. */
export interface LimitedExchange extends IdleWatched {
  /** The route's `timeout`: from the request's end to the response's. */
  onResponseOverdue(): void;
  /** `request_timeout`: from the request's first byte to its last, or to the response's first. */
  onRequestOverdue(): void;
  /** `max_stream_duration`: from the request's first byte to the response's last. */
  onTooLong(): void;
}

class LimitTimer implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly whenOver: () => void;

  constructor(whenOver: () => void) {
    this.whenOver = whenOver;
  }

  onTimeout(): void {
    this.whenOver();
  }
}

export class ExchangeLimits {
  /** Something has moved since the idle watch last looked. */
  sawActivity = false;
  /** The idle timeout in force; 0 for none. */
  idleTimeoutMs = 0;
  private readonly timers: TimerWheel;
  private readonly exchange: LimitedExchange;
  private readonly idle: IdleWatch;
  private readonly response: LimitTimer;
  private request: LimitTimer | null = null;
  private duration: LimitTimer | null = null;

  constructor(timers: TimerWheel, exchange: LimitedExchange) {
    this.timers = timers;
    this.exchange = exchange;
    this.idle = new IdleWatch(exchange);
    this.response = new LimitTimer(() => exchange.onResponseOverdue());
  }

  /** Left armed from an earlier request, the watch costs this one nothing. */
  watchIdle(timeoutMs: number): void {
    this.sawActivity = true;
    if (this.idle.wheelSlot >= 0) {
      if (this.idleTimeoutMs === timeoutMs) return;
      this.timers.disarm(this.idle);
    }
    this.idleTimeoutMs = timeoutMs;
    if (timeoutMs === 0) return;
    this.sawActivity = false;
    this.timers.arm(this.idle, timeoutMs);
  }

  /** True where nothing has moved since the last look; otherwise the watch goes on. */
  isIdle(): boolean {
    if (!this.sawActivity) return true;
    this.sawActivity = false;
    this.timers.arm(this.idle, this.idleTimeoutMs);
    return false;
  }

  /** The request is to come to its end within `timeoutMs`. */
  limitRequest(timeoutMs: number): void {
    this.request ??= new LimitTimer(() => this.exchange.onRequestOverdue());
    this.timers.arm(this.request, timeoutMs);
  }

  /** The exchange is to come to its end within `timeoutMs`; 0 for whenever it likes. */
  limitDuration(timeoutMs: number): void {
    if (this.duration !== null) this.timers.disarm(this.duration);
    if (timeoutMs === 0) return;
    this.duration ??= new LimitTimer(() => this.exchange.onTooLong());
    this.timers.arm(this.duration, timeoutMs);
  }

  /** The request has come to its end, or its response has begun. */
  endRequest(): void {
    if (this.request !== null) this.timers.disarm(this.request);
  }

  /** The response is to come to its end within `timeoutMs` of `nowMs`; 0 for whenever it likes. */
  limitResponse(timeoutMs: number, nowMs: number): void {
    if (timeoutMs > 0) this.timers.arm(this.response, timeoutMs, nowMs);
  }

  /** The response that was awaited is none: another one is to come. */
  restartResponse(): void {
    this.timers.disarm(this.response);
  }

  /** What it has become only standing still ends, and `max_stream_duration`; the tunnel watches itself. */
  becomeTunnel(): void {
    this.timers.disarm(this.idle);
    this.timers.disarm(this.response);
  }

  /** The exchange is over. For the sake of speed the idle watch stays armed, and the usual limit in its slot. */
  end(): void {
    this.timers.suspend(this.response);
    if (this.request !== null) this.timers.disarm(this.request);
    if (this.duration !== null) this.timers.disarm(this.duration);
  }

  /** The connection is gone: a watch left armed would hold its memory for minutes. */
  close(): void {
    this.timers.disarm(this.idle);
    this.timers.disarm(this.response);
  }
}
