import { signal, type ReadonlySignal } from '@preact/signals';
import type { Clock, Wait } from '../platform/clock.ts';
import { backoffMs } from './backoff.ts';

/** Whether the control plane answers. `lost` also says since when, and when the next attempt is made. */
export type ConnectionState =
  | { readonly name: 'live' }
  | { readonly name: 'lost'; readonly sinceMs: number; readonly retryAtMs: number };

/**
 * Watches whether the control plane answers. Requests report how they went; after the first that nobody answered,
 * `probe` is called with growing pauses until somebody does. Meanwhile pollers rest.
 */
export class Connection {
  private readonly clock: Clock;
  private readonly probe: () => Promise<boolean>;
  private readonly current = signal<ConnectionState>({ name: 'live' });
  private attempt = 0;
  private wait: Wait | null = null;

  /** `probe` asks for anything and says whether somebody answered. */
  constructor(clock: Clock, probe: () => Promise<boolean>) {
    this.clock = clock;
    this.probe = probe;
  }

  get state(): ReadonlySignal<ConnectionState> {
    return this.current;
  }

  /** Nobody answered a request. Does nothing when that is known. */
  reportLost(): void {
    if (this.current.peek().name === 'live') this.scheduleProbe(this.clock.now());
  }

  /** Tries at once; for people who don't want to wait. Does nothing while the control plane answers. */
  async tryNow(): Promise<void> {
    const lost = this.current.peek();
    if (lost.name === 'live') return;
    this.wait?.cancel();
    const answered = await this.probe();
    // Another attempt may have succeeded meanwhile.
    if (this.current.peek().name === 'live') return;
    if (answered) {
      this.attempt = 0;
      this.current.value = { name: 'live' };
    } else {
      this.scheduleProbe(lost.sinceMs);
    }
  }

  private scheduleProbe(sinceMs: number): void {
    const delayMs = backoffMs(this.attempt++, this.clock);
    this.current.value = { name: 'lost', sinceMs, retryAtMs: this.clock.now() + delayMs };
    this.wait?.cancel();
    this.wait = this.clock.wait(delayMs, () => void this.tryNow());
  }
}
