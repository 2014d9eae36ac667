import {
  type Clock,
  type HeddleError,
  type Logger,
  type Random,
  type Result,
  type Timer,
  systemRandom,
} from '@heddle/base';

/** When a certificate is good, in milliseconds since 1970. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Something that holds a certificate and can get itself the next one. */
export interface Renewable {
  /** Of the certificate in force. */
  validity(): Validity;
  /** True where the certificate should be replaced whatever its age, such as after its root has left the bundle. */
  isUrgent(): boolean;
  /** Gets and puts in force the next certificate. Must settle in bounded time and never rejects. */
  renew(): Promise<Result<void, HeddleError>>;
}

export interface RenewalOptions {
  readonly renewable: Renewable;
  /** For log lines: whose certificate it is. */
  readonly name: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly logger: Logger;
}

/** Half of the life is left for retries, as in Istio (`SECRET_GRACE_PERIOD_RATIO`). */
const renewalFraction = 0.5;
/** Sidecars that were started together don't renew together: up to this part of the life earlier or later. */
const jitterFraction = 0.05;
/** The wall clock may jump and machines sleep: look at it at least this often. */
const longestSleepMs = 3_600_000;
/** However short-lived the certificates are, there is this much time between two. */
const shortestSleepMs = 1_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/** When to renew a certificate: at half of its life, give or take the jitter; `draw` is in [0, 1). */
export function renewalTimeMs(validity: Validity, draw: number): number {
  const lifeMs = validity.notAfterMs - validity.notBeforeMs;
  return validity.notBeforeMs + lifeMs * (renewalFraction + (2 * draw - 1) * jitterFraction);
}

/** True from half of a certificate's life on. */
export function needsRenewal(validity: Validity, nowMs: number): boolean {
  return nowMs >= renewalTimeMs(validity, 0.5);
}

/**
 * Renews a certificate at half of its life for as long as it runs, and tries again with growing pauses where that fails:
 * the certificate in force stays until a better one has come. One attempt at a time.
 */
export class RenewalSchedule {
  private readonly renewable: Renewable;
  private readonly name: string;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly logger: Logger;
  private timer: Timer | null = null;
  private dueMs = 0;
  private failures = 0;
  private isRequesting = false;
  private isClosed = false;

  constructor(options: RenewalOptions) {
    this.renewable = options.renewable;
    this.name = options.name;
    this.clock = options.clock;
    this.random = options.random ?? systemRandom;
    this.logger = options.logger;
  }

  /** Begins; a certificate that is past half of its life is renewed at once. */
  start(): void {
    this.dueMs = renewalTimeMs(this.renewable.validity(), this.random.float());
    this.sleep(0);
  }

  /** To be called when `isUrgent` may have become true: does not wait for the timer. */
  check(): void {
    if (!this.isRequesting && this.failures === 0) this.sleep(0);
  }

  /** Stops; an attempt under way may still replace the certificate. */
  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
    this.timer = null;
  }

  private sleep(leastMs: number): void {
    if (this.isClosed) return;
    this.timer?.cancel();
    const untilDueMs = this.renewable.isUrgent() ? 0 : this.dueMs - this.clock.now();
    const delayMs = Math.min(Math.max(untilDueMs, leastMs), longestSleepMs);
    this.timer = this.clock.setTimer(delayMs, () => this.wake());
  }

  private wake(): void {
    this.timer = null;
    if (this.renewable.isUrgent() || this.clock.now() >= this.dueMs) void this.attempt();
    else this.sleep(shortestSleepMs);
  }

  private async attempt(): Promise<void> {
    this.isRequesting = true;
    const outcome = await this.renewable.renew();
    this.isRequesting = false;
    if (this.isClosed) return;
    if (outcome.ok) this.succeeded();
    else this.failed(outcome.error);
  }

  private succeeded(): void {
    this.failures = 0;
    const validity = this.renewable.validity();
    this.dueMs = renewalTimeMs(validity, this.random.float());
    this.logger.info('Certificate renewed', { name: this.name, notAfter: validity.notAfterMs });
    this.sleep(shortestSleepMs);
  }

  private failed(error: HeddleError): void {
    const pauseMs =
      Math.min(firstRetryMs * 2 ** this.failures, longestRetryMs) * (0.5 + this.random.float() / 2);
    this.failures++;
    const isExpired = this.clock.now() > this.renewable.validity().notAfterMs;
    const fields = {
      name: this.name,
      code: error.code,
      reason: error.message,
      retryInMs: Math.round(pauseMs),
    };
    if (isExpired) this.logger.error('Certificate has expired and cannot be renewed', fields);
    else this.logger.warn('Certificate renewal failed', fields);
    this.timer = this.clock.setTimer(pauseMs, () => this.wake());
  }
}
