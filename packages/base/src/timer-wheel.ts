// Hot path.
import type { Clock, Timer } from './clock.ts';

/**
 * Something with a deadline. The wheel reads and writes the two fields; arming again is one assignment, no allocation.
 */
export interface TimerWheelEntry {
  /** Monotonic milliseconds at which it expires; negative when not armed. Owned by the wheel. */
  deadlineMs: number;
  /** Slot that holds the entry; -1 when none does. Owned by the wheel. */
  wheelSlot: number;
  /** Called at most once per arming, at the first tick at or after the deadline. */
  onTimeout(): void;
}

/**
 * Coarse timers for connections and requests: one system timer for all of them instead of one each (nginx and undici do
 * the same). An entry re-armed later stays in its slot and is moved when the slot comes up, so that pushing an idle
 * deadline back on every request costs two stores.
 */
export class TimerWheel {
  private readonly clock: Clock;
  private readonly tickMs: number;
  private readonly slots: Set<TimerWheelEntry>[] = [];
  private timer: Timer | null = null;
  private armed = 0;
  private lastTick: number;

  /** `tickMs` is how late an entry may fire; `slotCount × tickMs` is one turn, longer deadlines go round again. */
  constructor(clock: Clock, tickMs = 250, slotCount = 256) {
    this.clock = clock;
    this.tickMs = tickMs;
    for (let i = 0; i < slotCount; i++) this.slots.push(new Set());
    this.lastTick = Math.floor(clock.monotonic() / tickMs);
  }

  /** Arms `entry` to expire `delayMs` from now, replacing an earlier deadline. `nowMs` spares asking the clock again. */
  arm(entry: TimerWheelEntry, delayMs: number, nowMs: number = this.clock.monotonic()): void {
    const deadline = nowMs + delayMs;
    // The slot of a suspended entry is that of the deadline it had.
    const earlier = entry.wheelSlot >= 0 && deadline < Math.abs(entry.deadlineMs);
    entry.deadlineMs = deadline;
    if (entry.wheelSlot >= 0) {
      if (!earlier) return;
      this.slots[entry.wheelSlot]!.delete(entry);
      this.armed--;
    }
    this.insert(entry);
  }

  /** Disarms `entry`; does nothing when it is not armed. */
  disarm(entry: TimerWheelEntry): void {
    entry.deadlineMs = -1;
    if (entry.wheelSlot < 0) return;
    this.slots[entry.wheelSlot]!.delete(entry);
    entry.wheelSlot = -1;
    this.armed--;
  }

  /**
   * Disarms `entry`, but leaves it in its slot until that comes up: for what is armed again and again, where both cost a
   * store then. The wheel holds on to the entry meanwhile.
   */
  suspend(entry: TimerWheelEntry): void {
    if (entry.wheelSlot >= 0) entry.deadlineMs = -Math.abs(entry.deadlineMs);
  }

  /** Entries that have not fired yet, suspended ones included. */
  get size(): number {
    return this.armed;
  }

  /** Stops the wheel; entries still armed never fire. */
  close(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private insert(entry: TimerWheelEntry): void {
    if (this.armed === 0) this.lastTick = Math.floor(this.clock.monotonic() / this.tickMs);
    const tick = Math.max(Math.ceil(entry.deadlineMs / this.tickMs), this.lastTick + 1);
    entry.wheelSlot = tick % this.slots.length;
    this.slots[entry.wheelSlot]!.add(entry);
    this.armed++;
    if (this.timer === null) this.schedule();
  }

  private schedule(): void {
    this.timer = this.clock.setTimer(this.tickMs, () => {
      this.timer = null;
      this.turn();
      if (this.armed > 0 && this.timer === null) this.schedule();
    });
  }

  private turn(): void {
    const now = this.clock.monotonic();
    const current = Math.floor(now / this.tickMs);
    const steps = Math.min(current - this.lastTick, this.slots.length);
    const first = current - steps + 1;
    this.lastTick = current;
    for (let tick = first; tick <= current; tick++) {
      const slot = this.slots[tick % this.slots.length]!;
      // A copy: an entry that goes round again may come back into this very slot.
      for (const entry of [...slot]) {
        if (!slot.delete(entry)) continue;
        entry.wheelSlot = -1;
        this.armed--;
        if (entry.deadlineMs < 0) entry.deadlineMs = -1;
        else if (entry.deadlineMs > now) this.insert(entry);
        else {
          entry.deadlineMs = -1;
          entry.onTimeout();
        }
      }
    }
  }
}
