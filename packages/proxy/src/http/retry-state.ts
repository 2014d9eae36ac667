// Hot path: a request that needs one try costs two stores.
import type { Random, TimerWheel, TimerWheelEntry } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { RetryLimit } from '../cluster/retry-limit.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { type TryTimers, wheelFor } from './try-watch.ts';

/** The tries of one request. One object per exchange. */
export class RetryState implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  /** Tries begun, the first one too. Kept until the next request for who logs. */
  attempts = 0;
  /** The request has outgrown what is kept of it: whatever happens is final. */
  isOver = false;
  private readonly timers: TryTimers;
  /** On which it waits, or did. */
  private wheel: TimerWheel | null = null;
  /** Where the request has been, where its route wants to know. */
  private tried: Endpoint<ConnectionPool>[] = [];
  private readonly random: Random;
  private readonly onRetry: () => void;
  /** What a retry holds from its pause until it is clear what came of it. */
  private held: RetryLimit | null = null;

  constructor(timers: TryTimers, random: Random, onRetry: () => void) {
    this.timers = timers;
    this.random = random;
    this.onRetry = onRetry;
  }

  /**
   * Asks for another try; `isCovered`: the route's policy has what happened tried again, `isRepeatable`: nothing has gone
   * that nobody has kept, `toldPauseMs`: the upstream wants to be left alone for so long, -1 where it didn't say. Null: it
   * is granted, `onRetry` is called after a pause. Otherwise the flag that says why not: `URX` (as often as the route
   * allows), `UO` (too many of the cluster's requests are being tried again) or nothing.
   */
  ask(
    isCovered: boolean,
    isRepeatable: boolean,
    { retryPolicy, priority }: RouteMatch<unknown>,
    cluster: Cluster<ConnectionPool>,
    toldPauseMs = -1,
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
    let pauseMs: number;
    if (toldPauseMs > 1) {
      metrics.retriesRateLimited.value++;
      pauseMs = toldPauseMs + (this.random.uint32() % Math.floor(toldPauseMs / 2));
    } else {
      metrics.retriesBackedOff.value++;
      pauseMs = retryPolicy.pauseMs(this.attempts, this.random);
    }
    this.wheel = wheelFor(this.timers, pauseMs);
    this.wheel.arm(this, pauseMs);
    return null;
  }

  /**
   * The endpoint for the next try: `pick` is asked again for one where the request has not been, `morePicks` times at most.
   * The last one that it gives is as good as none other.
   */
  choose(
    morePicks: number,
    pick: (attempt: number) => Endpoint<ConnectionPool> | null,
  ): Endpoint<ConnectionPool> | null {
    let endpoint = pick(0);
    for (let i = 0; i < morePicks && endpoint !== null && this.tried.includes(endpoint); i++)
      endpoint = pick(i + 1);
    if (endpoint !== null) this.tried.push(endpoint);
    return endpoint;
  }

  /** The request has ended, with or without success. */
  end(): void {
    if (this.wheelSlot >= 0) this.wheel!.disarm(this);
    if (this.tried.length > 0) this.tried = [];
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
