// The accepted connections of a filter chain as a set, whichever codec they speak: drained, counted and closed together.
import type { Clock, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { ConnectionObserver } from '../listener/connection-group.ts';
import type { Connection } from '../transport/transport.ts';

/** Whether clients are asked to go elsewhere: asked once per response. */
export interface DrainPolicy {
  /** Whether this response is to be the connection's last. */
  shouldClose(): boolean;
}

/** An idle connection that nobody can be told to leave is closed after this: a request may be on its way over any. */
const maxSilenceMs = 60_000;

/** Has the idle timeout of a connection come when it has been silent for a minute more. */
export function limitSilence(
  idle: TimerWheelEntry,
  { timers, clock }: { readonly timers: TimerWheel; readonly clock: Clock },
): void {
  const isSooner = idle.deadlineMs >= 0 && idle.deadlineMs <= clock.monotonic() + maxSilenceMs;
  if (!isSooner) timers.arm(idle, maxSilenceMs);
}

/** For what is never drained. */
export const neverDrains: DrainPolicy = { shouldClose: () => false };

/** One accepted connection. */
export interface ServedConnection {
  readonly connection: Connection;
  /** Monotonic milliseconds. */
  readonly acceptedAt: number;
  /** No exchange is under way. */
  readonly isIdle: boolean;
  /** Ends with what is under way, or at once where nothing is. */
  drain(): void;
  /**
   * Asks its peer to go elsewhere, such that nothing is lost that is on its way. Where the protocol has no word for that, the
   * connection ends with the next response, or by `limitSilence`. May be called again and again.
   */
  dismiss(): void;
  /** Its peer has not closed its side in time. */
  onLingerTimeout(): void;
}

/** Drops a connection whose peer does not close its side. */
class Linger implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly served: ServedConnection;

  constructor(served: ServedConnection) {
    this.served = served;
  }

  onTimeout(): void {
    this.served.onLingerTimeout();
    this.served.connection.destroy();
  }
}

/** The connections of one filter chain. */
export class ServedConnections {
  private readonly open = new Set<ServedConnection>();
  private readonly lingering = new Map<ServedConnection, Linger>();
  readonly drainPolicy: DrainPolicy;
  private readonly timers: TimerWheel;
  private readonly clock: Clock;
  private readonly observer: ConnectionObserver | null;
  /** No further connection is wanted: one that comes all the same is asked to go. */
  isDraining = false;
  /** Who waits for the end of the last connection. */
  private readonly emptied: (() => void)[] = [];

  constructor(
    context: { readonly timers: TimerWheel; readonly clock: Clock },
    drainPolicy = neverDrains,
    observer: ConnectionObserver | null = null,
  ) {
    this.timers = context.timers;
    this.clock = context.clock;
    this.observer = observer;
    this.drainPolicy = drainPolicy;
  }

  get size(): number {
    return this.open.size;
  }

  /** Connections with exchanges in flight. */
  get busy(): number {
    let busy = 0;
    for (const served of this.open) if (!served.isIdle) busy++;
    return busy;
  }

  /** A connection has been accepted. */
  add(served: ServedConnection): void {
    this.open.add(served);
    if (this.isDraining) served.dismiss();
  }

  /** A connection's codec is known now: `successor` takes its place. */
  replace(served: ServedConnection, successor: ServedConnection): void {
    this.open.delete(served);
    this.add(successor);
  }

  /** Closes idle connections and lets the others finish their exchanges. */
  drain(): void {
    this.isDraining = true;
    for (const served of [...this.open]) served.drain();
  }

  /** Asks those to go whom the policy wants gone by now, also who is idle or in the middle of something long. */
  dismiss(): void {
    for (const served of [...this.open]) if (this.drainPolicy.shouldClose()) served.dismiss();
  }

  /** Resolves when no connection is open any more. */
  whenEmpty(): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.emptied.push(resolve);
    });
  }

  /** Drops everything. */
  destroy(): void {
    for (const served of [...this.open]) served.connection.destroy();
  }

  /** The connection is gone. */
  remove(served: ServedConnection): void {
    this.open.delete(served);
    this.observer?.onClosed(served.connection, this.clock.monotonic() - served.acceptedAt, null);
    const linger = this.lingering.get(served);
    if (linger !== undefined) {
      this.timers.disarm(linger);
      this.lingering.delete(served);
    }
    if (this.open.size > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  /**
   * Everything has been sent: drops the connection if its peer does not close its side in time. Without a timeout the
   * socket is dropped as soon as everything has been handed to the kernel; that it has is unknown.
   */
  lingerClose(served: ServedConnection, timeoutMs: number): void {
    if (timeoutMs === 0 || !this.open.has(served)) return;
    const linger = new Linger(served);
    this.lingering.set(served, linger);
    this.timers.arm(linger, timeoutMs);
  }
}
