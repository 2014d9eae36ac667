import type { Clock } from '@heddle/base';
import type { SeededRandom } from '../seeded-random.ts';

/** What the wires of one network share. */
export interface WireConditions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loopbackMs: number;
  /** True while nothing gets from one node to the other. */
  isBlocked(from: string, to: string): boolean;
  /** Something waits on this wire for the end of a partition. */
  onHeld(wire: Wire): void;
}

/**
 * One direction between two nodes: what is put in comes out later, in the same order. While the two are cut off from
 * each other it waits, as TCP would retransmit.
 */
export class Wire {
  private readonly conditions: WireConditions;
  private readonly from: string;
  private readonly to: string;
  private readonly queue: (() => void)[] = [];
  private lastArrivalMs = 0;
  private held = 0;

  constructor(conditions: WireConditions, from: string, to: string) {
    this.conditions = conditions;
    this.from = from;
    this.to = to;
  }

  /** Runs `arrive` when it has reached the other end. */
  send(arrive: () => void): void {
    this.queue.push(arrive);
    this.schedule();
  }

  /** Lets go what waited for the end of a partition. */
  release(): void {
    const waiting = this.held;
    this.held = 0;
    for (let index = 0; index < waiting; index++) this.schedule();
  }

  private schedule(): void {
    const { clock, random, latencyMs, jitterMs, loopbackMs } = this.conditions;
    const delay = this.from === this.to ? loopbackMs : latencyMs + random.float() * jitterMs;
    const now = clock.monotonic();
    this.lastArrivalMs = Math.max(this.lastArrivalMs, now + delay);
    // Whatever is first in the queue arrives: order holds however the due times round.
    clock.setTimer(this.lastArrivalMs - now, () => {
      if (this.conditions.isBlocked(this.from, this.to)) this.hold();
      else this.queue.shift()!();
    });
  }

  private hold(): void {
    if (this.held === 0) this.conditions.onHeld(this);
    this.held++;
  }
}
