import { batch, computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Answer, ApiFailure } from '../api/client.ts';
import type { Clock, Wait } from '../platform/clock.ts';

/** What is known of something that is asked for again and again. */
export interface Polled<T> {
  /** The last answer; null before the first. Kept while later requests fail. */
  readonly value: ReadonlySignal<T | null>;
  /** Why the last request brought nothing; null when it did. */
  readonly failure: ReadonlySignal<ApiFailure | null>;
}

/**
 * Asks for something every `intervalMs`, counted from answer to request, while somebody looks at it and `gate` is open:
 * not while the tab is hidden, nobody is logged in or the control plane is gone.
 */
export class Poller<T> implements Polled<T> {
  readonly value = signal<T | null>(null);
  readonly failure = signal<ApiFailure | null>(null);
  private readonly ask: () => Promise<Answer<T>>;
  private readonly intervalMs: number;
  private readonly clock: Clock;
  private readonly lookers = signal(0);
  private wait: Wait | null = null;
  /** Grows with each stop, so that an answer to a request from before it plans nothing. */
  private round = 0;

  constructor(
    ask: () => Promise<Answer<T>>,
    intervalMs: number,
    gate: ReadonlySignal<boolean>,
    clock: Clock,
  ) {
    this.ask = ask;
    this.intervalMs = intervalMs;
    this.clock = clock;
    const isWanted = computed(() => gate.value && this.lookers.value > 0);
    effect(() => {
      if (!isWanted.value) return undefined;
      const round = this.round;
      void this.poll(round);
      return () => {
        this.round++;
        this.wait?.cancel();
      };
    });
  }

  /** Says that somebody looks; the returned function says that they have stopped. */
  look(): () => void {
    this.lookers.value++;
    return () => {
      this.lookers.value--;
    };
  }

  /** Forgets what was answered, as when another person logs in. */
  forget(): void {
    batch(() => {
      this.value.value = null;
      this.failure.value = null;
    });
  }

  private async poll(round: number): Promise<void> {
    const answer = await this.ask();
    if (round !== this.round) return;
    batch(() => {
      if (answer.ok) this.value.value = answer.value;
      this.failure.value = answer.ok ? null : answer.failure;
    });
    // Storing the answer may have closed the gate.
    if (round !== this.round) return;
    this.wait = this.clock.wait(this.intervalMs, () => void this.poll(round));
  }
}
