// Whether clients are asked to go elsewhere, with Envoy's words: drain time, drain strategy, failed health check.
import type { Clock, Random, Timer } from '@heddle/base';
import type { DrainPolicy } from '../codec/served-connections.ts';

/** `gradual`: ever more responses close their connection until all do; `immediate`: all from the start. */
export type DrainStrategy = 'gradual' | 'immediate';

export interface DrainManagerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `--drain-time-s` in milliseconds: from the start of a drain to the moment when listeners are closed. */
  readonly drainTimeMs: number;
  readonly strategy: DrainStrategy;
}

/** One drain of all listeners, or of the inbound ones. */
class Drain implements DrainPolicy {
  private readonly options: DrainManagerOptions;
  private readonly manager: DrainManager;
  private startMs = -1;

  constructor(options: DrainManagerOptions, manager: DrainManager) {
    this.options = options;
    this.manager = manager;
  }

  get isRunning(): boolean {
    return this.startMs >= 0;
  }

  start(): void {
    if (this.startMs < 0) this.startMs = this.options.clock.monotonic();
  }

  shouldClose(): boolean {
    if (this.manager.isHealthCheckFailed) return true;
    if (this.startMs < 0) return false;
    const { clock, random, drainTimeMs, strategy } = this.options;
    if (strategy === 'immediate') return true;
    const elapsedMs = clock.monotonic() - this.startMs;
    // Not all at once: clients would all come back at the same moment, to whoever is left.
    return elapsedMs >= drainTimeMs || (random.uint32() / 0x1_0000_0000) * drainTimeMs < elapsedMs;
  }
}

/** Drains of a proxy's listeners that its operator has asked for. */
export class DrainManager {
  /** `/healthcheck/fail`: every response closes its connection, `/ready` says 503. */
  isHealthCheckFailed = false;
  readonly drainTimeMs: number;
  private readonly clock: Clock;
  private readonly inbound: Drain;
  private readonly others: Drain;
  private timer: Timer | null = null;

  constructor(options: DrainManagerOptions) {
    this.clock = options.clock;
    this.drainTimeMs = options.drainTimeMs;
    this.inbound = new Drain(options, this);
    this.others = new Drain(options, this);
  }

  /** What the connections of a listener ask. */
  policyOf(direction: 'inbound' | 'outbound' | 'unspecified'): DrainPolicy {
    return direction === 'inbound' ? this.inbound : this.others;
  }

  get isDraining(): boolean {
    return this.inbound.isRunning;
  }

  /** Begins to ask clients to go; `onEnd` is called once the drain time is over. A drain that runs goes on as it is. */
  start(inboundOnly: boolean, onEnd: () => void): void {
    this.inbound.start();
    if (!inboundOnly) this.others.start();
    this.timer ??= this.clock.setTimer(this.drainTimeMs, onEnd);
  }

  close(): void {
    this.timer?.cancel();
  }
}
