// Keeps one sidecar alive and speaks with it.
import { type Clock, errorMessage, systemClock } from '@heddle/base';
import type { FromSidecar } from '@heddle/proxy';
import { delay, within } from './delay.ts';
import type { HandedOverSocket } from './handed-over-sockets.ts';
import { type ReadyMessage, SidecarLife, type SidecarNews, type SidecarProgram } from './sidecar-life.ts';

/** What a supervisor wants to know about its sidecar. */
export interface SidecarEvents extends SidecarNews {
  /** It ended without being told to; it is being started again. */
  onCrash(reason: string): void;
  /** It serves again after a crash. */
  onRecovered(source: 'control-plane' | 'snapshot'): void;
}

export interface SidecarProcessOptions extends SidecarProgram {
  readonly events: SidecarEvents;
  readonly clock?: Clock;
}

type WithdrawnMessage = Extract<FromSidecar, { type: 'withdrawn' }>;

const firstBackOffMs = 100;
const longestBackOffMs = 5_000;
/** A sidecar that has served for this long starts again without waiting. */
const healthyAfterMs = 10_000;
/** The sidecar keeps the time that it is given itself; this is for its answer. */
const answerMs = 1_000;
/** How long a sidecar may take to send its sockets, and the next one until it serves. */
const handOverTimeoutMs = 10_000;
const takeOverTimeoutMs = 60_000;
/** How long a sidecar that was replaced may keep the connections that it has. */
const departureTimeoutMs = 900_000;
const ending = 'the workload is ending';
const tooSlow = `it did not serve within ${takeOverTimeoutMs / 1000} s`;

/**
 * One sidecar over all its lives: `starting → ready → (crashed → starting)… → stopping → stopped`. One that is replaced in
 * place lives on beside the next one until its connections have ended.
 */
export class SidecarProcess {
  private readonly options: SidecarProcessOptions;
  private readonly clock: Clock;
  private life: SidecarLife | null = null;
  /** All that run: `life`, those that were replaced and have connections yet, the one that is to take over. */
  private readonly lives = new Set<SidecarLife>();
  private upgrading: Promise<string | null> | null = null;
  private readonly stopping = new AbortController();
  private isStopped = false;
  private applicationStarted = false;

  constructor(options: SidecarProcessOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  /** Process id of the present life, undefined between two. */
  get pid(): number | undefined {
    return this.life?.end === '' ? this.life.pid : undefined;
  }

  /** Starts it for the first time; resolves when its listeners serve, rejects when it can't start. */
  async start(): Promise<ReadyMessage> {
    this.life = await this.begin();
    const ready = await this.life.ready;
    void this.keepAlive();
    return ready;
  }

  /** The application runs: the instance is to be published once its port accepts connections. */
  announceApplication(): void {
    this.applicationStarted = true;
    this.life?.send({ type: 'app-started' });
  }

  /**
   * Starts the program again beside this sidecar, with its sockets; the old one ends when its connections have. Resolves with
   * null when the new one serves, else with the reason, and nothing has changed.
   */
  upgrade(): Promise<string | null> {
    if (this.upgrading !== null) return Promise.resolve('it is being replaced already');
    this.upgrading = this.tryUpgrade().finally(() => (this.upgrading = null));
    return this.upgrading;
  }

  /** Takes the instance out of the mesh; undefined when the sidecar did not answer in time or is away. */
  async withdraw(timeoutMs: number): Promise<WithdrawnMessage | undefined> {
    return await this.life?.ask({ type: 'withdraw', timeoutMs }, 'withdrawn', timeoutMs + answerMs);
  }

  /**
   * Lets running requests end, also those of sidecars that were replaced; resolves with how many did not in time, undefined
   * where no sidecar answers.
   */
  async drain(timeoutMs: number): Promise<number | undefined> {
    const serving = [...this.lives].filter(({ isServing }) => isServing);
    const answers = await Promise.all(
      serving.map((life) => life.ask({ type: 'drain', timeoutMs }, 'drained', timeoutMs + answerMs)),
    );
    const known = answers.filter((answer) => answer !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, { open }) => sum + open, 0);
  }

  /** Ends it for good. */
  async stop(graceMs = 2_000): Promise<void> {
    this.stopping.abort();
    this.isStopped = true;
    const lives = [...this.lives];
    for (const life of lives) life.send({ type: 'stop' });
    const ended = Promise.all(lives.map(({ exited }) => exited));
    const isOver = await within(
      this.clock,
      graceMs,
      ended.then(() => true),
    );
    if (isOver !== true) for (const life of lives) life.kill();
    await ended;
  }

  /** From now on a sidecar that ends stays away: the workload is ending. */
  stopRestarting(): void {
    this.stopping.abort();
  }

  private async begin(sockets: readonly HandedOverSocket[] = []): Promise<SidecarLife> {
    const life = await SidecarLife.start(this.options, this.clock, sockets, this.options.events);
    this.lives.add(life);
    void life.exited.then(() => this.lives.delete(life));
    // Too late for `stop` to have seen it.
    if (this.isStopped) life.kill();
    return life;
  }

  private async tryUpgrade(): Promise<string | null> {
    const old = this.life;
    if (this.stopping.signal.aborted) return ending;
    if (old?.isServing !== true) return 'it does not serve at the moment';
    const sockets = await old.handOver(handOverTimeoutMs);
    const failure =
      sockets === null
        ? 'the old one did not hand its sockets over'
        : await this.takeOver(old, sockets.sockets);
    sockets?.close();
    if (failure !== null) old.send({ type: 'stay' });
    return failure;
  }

  /** Null when another one serves in its place, else why not. */
  private async takeOver(old: SidecarLife, sockets: readonly HandedOverSocket[]): Promise<string | null> {
    const { signal } = this.stopping;
    if (signal.aborted) return ending;
    const over = new AbortController();
    try {
      const next = await this.begin(sockets);
      const ready = next.ready.then(() => null);
      const timeUp = delay(this.clock, takeOverTimeoutMs, AbortSignal.any([signal, over.signal]));
      const failure = await Promise.race([ready, timeUp.then(() => tooSlow)]);
      // At the workload's end it may have accepted connections: it is drained like the others.
      if (signal.aborted) return ending;
      if (failure === null) this.replace(old, next);
      else next.kill();
      return failure;
    } catch (error) {
      return errorMessage(error);
    } finally {
      over.abort();
    }
  }

  private replace(old: SidecarLife, next: SidecarLife): void {
    this.life = next;
    void this.keepAlive();
    // In this order: the old one must not publish the instance again.
    old.send({ type: 'depart', timeoutMs: departureTimeoutMs });
    if (this.applicationStarted) next.send({ type: 'app-started' });
  }

  /** Starts it again whenever it ends, unless another has taken its place: at once the first time, then at growing intervals. */
  private async keepAlive(): Promise<void> {
    const { signal } = this.stopping;
    let backOffMs = 0;
    let readyAt = this.clock.monotonic();
    for (;;) {
      const { life } = this;
      await life?.exited;
      // Another one may be about to take its place.
      await this.upgrading;
      if (signal.aborted || this.life !== life) return;
      if (this.clock.monotonic() - readyAt > healthyAfterMs) backOffMs = 0;
      this.options.events.onCrash(life?.end ?? '');
      await delay(this.clock, backOffMs, signal);
      if (signal.aborted) return;
      backOffMs = Math.min(Math.max(backOffMs * 2, firstBackOffMs), longestBackOffMs);
      try {
        this.life = await this.begin();
        const { source } = await this.life.ready;
        readyAt = this.clock.monotonic();
        if (this.applicationStarted && !signal.aborted) this.life.send({ type: 'app-started' });
        this.options.events.onRecovered(source);
      } catch (error) {
        this.options.events.onWarning(errorMessage(error));
        await this.life?.exited;
      }
    }
  }
}
