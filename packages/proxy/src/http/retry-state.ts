// Hot path: a request that needs one try costs two stores.
import type { Random, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { RetryLimit } from '../cluster/retry-limit.ts';
import type { RouteMatch } from '../routing/route-match.ts';

/** The tries of one request. One object per exchange. */
export class RetryState implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  /** Tries begun, the first one too. Kept until the next request for who logs. */
  attempts = 0;
  /** The request has outgrown what is kept of it: whatever happens is final. */
  isOver = false;
  private readonly timers: TimerWheel;
  private readonly random: Random;
  private readonly onRetry: () => void;
  /** What a retry holds from its pause until it is clear what came of it. */
  private held: RetryLimit | null = null;

  constructor(timers: TimerWheel, random: Random, onRetry: () => void) {
    this.timers = timers;
    this.random = random;
    this.onRetry = onRetry;
  }

  /**
   * Asks for another try; `isCovered`: the route's policy has what happened tried again, `isRepeatable`: nothing has gone
   * that nobody has kept. Null: it is granted, `onRetry` is called after a pause. Otherwise the flag that says why not:
   * `URX` (as often as the route allows), `UO` (too many of the cluster's requests are being tried again) or nothing.
   */
  ask(
    isCovered: boolean,
    isRepeatable: boolean,
    { retryPolicy, priority }: RouteMatch<unknown>,
    cluster: Cluster<ConnectionPool>,
  ): string | null {
    const { metrics } = cluster;
    if (retryPolicy === null || this.isOver || !isCovered || !isRepeatable) {
      // What came of the last try stands: a success of the retry, as Envoy counts.
      if (this.held !== null && !this.isOver) metrics.retrySuccesses.value++;
      this.release();
      return '';
    }
    this.release();
    if (this.attempts > retryPolicy.maxRetries) {
      metrics.retryLimitsReached.value++;
      return 'URX';
    }
    const limit = cluster.breaker(priority).retries;
    if (!limit.takesMore) {
      metrics.retryOverflows.value++;
      return 'UO';
    }
    limit.add();
    this.held = limit;
    metrics.retries.value++;
    metrics.retriesBackedOff.value++;
    this.timers.arm(this, retryPolicy.pauseMs(this.attempts, this.random));
    return null;
  }

  /** The request has ended, with or without success. */
  end(): void {
    if (this.wheelSlot >= 0) this.timers.disarm(this);
    this.release();
  }

  // TimerWheelEntry

  onTimeout(): void {
    this.onRetry();
  }

  private release(): void {
    this.held?.remove();
    this.held = null;
  }
}
