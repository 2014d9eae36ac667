// Hot path: only of routes that limit their tries.
import type { TimerWheel, TimerWheelEntry } from '@heddle/base';

/** Told when a try has taken or stood still for too long. */
export interface WatchedTry {
  onTryOverdue(): void;
  onTryIdle(): void;
}

/** What a watch needs of its proxy. */
export interface TryTimers {
  readonly timers: TimerWheel;
  /** For times that matter to a few milliseconds. */
  readonly shortTimers: TimerWheel;
}

/** From so long a time on nobody minds a quarter of a second. */
const longMs = 2000;

/** The wheel on which so long a time is measured well enough. */
export function wheelFor({ timers, shortTimers }: TryTimers, ms: number): TimerWheel {
  return ms < longMs ? shortTimers : timers;
}

/** How long the current try of a request takes and stands still. Made for the first request of an exchange that has such limits. */
export class TryWatch {
  private readonly context: TryTimers;
  private readonly overdue: TryTimer;
  private readonly idle: TryTimer;
  private idleMs = 0;

  constructor(context: TryTimers, watched: WatchedTry) {
    this.context = context;
    this.overdue = new TryTimer(() => watched.onTryOverdue());
    this.idle = new TryTimer(() => watched.onTryIdle());
  }

  /** The upstream has the whole request, and `ms` for the response's head. */
  limit(ms: number): void {
    this.overdue.arm(wheelFor(this.context, ms), ms);
  }

  /** From here on something has to move every `ms`; 0 for whenever it likes. */
  watchIdle(ms: number): void {
    this.idleMs = ms;
    this.touch();
  }

  /** Something has moved. */
  touch(): void {
    if (this.idleMs > 0) this.idle.arm(wheelFor(this.context, this.idleMs), this.idleMs);
  }

  /** The response has begun: what is left is standing still. */
  answered(): void {
    this.overdue.disarm();
    this.touch();
  }

  /** The try is over. */
  end(): void {
    this.overdue.disarm();
    this.idle.disarm();
    this.idleMs = 0;
  }
}

/** A timer that calls back, on whichever wheel it is armed. */
export class TryTimer implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly whenOver: () => void;
  private wheel: TimerWheel | null = null;

  constructor(whenOver: () => void) {
    this.whenOver = whenOver;
  }

  arm(wheel: TimerWheel, ms: number): void {
    if (this.wheel !== wheel) this.disarm();
    this.wheel = wheel;
    wheel.arm(this, ms);
  }

  disarm(): void {
    this.wheel?.disarm(this);
  }

  onTimeout(): void {
    this.whenOver();
  }
}
