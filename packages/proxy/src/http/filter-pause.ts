// Hot path: only of requests that a filter holds back.
import type { HoldingFilter } from './http-filter.ts';
import { TryTimer, type TryTimers, wheelFor } from './try-watch.ts';

/** Envoy's flags that stand in front of `DI` where there are several. */
const flagsBefore = new Set(['LH', 'UH', 'UT', 'LR', 'UR', 'UF', 'UC', 'UO', 'NR']);

/** The time for which a filter holds a request back. Made for the first such request of an exchange. */
export class FilterPause {
  /** Who holds the request, and has not been told yet that it is over. */
  filter: HoldingFilter | null = null;
  /** Its place in the list. */
  index = -1;
  isWaiting = false;
  private readonly context: TryTimers;
  private readonly timer: TryTimer;

  constructor(context: TryTimers, whenOver: () => void) {
    this.context = context;
    this.timer = new TryTimer(() => {
      this.isWaiting = false;
      whenOver();
    });
  }

  begin(filter: HoldingFilter, index: number, ms: number): void {
    this.filter = filter;
    this.index = index;
    this.isWaiting = true;
    this.timer.arm(wheelFor(this.context, ms), ms);
  }

  /** The exchange is over; returns its flags with the one that says that it was held back. */
  end(flags: string): string {
    if (this.filter === null) return flags;
    this.timer.disarm();
    this.isWaiting = false;
    this.filter.onHeldEnded();
    this.filter = null;
    if (flags === '-' || flags === '') return 'DI';
    const all = flags.split(',');
    all.splice(all.filter((flag) => flagsBefore.has(flag)).length, 0, 'DI');
    return all.join(',');
  }
}
