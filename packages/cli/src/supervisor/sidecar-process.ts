// Keeps one sidecar process alive and speaks with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Clock, systemClock } from '@heddle/base';
import type { FromSidecar, ToSidecar } from '@heddle/proxy';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { delay, within } from './delay.ts';

/** What a supervisor wants to know about its sidecar. */
export interface SidecarEvents {
  onPublished(): void;
  onWarning(message: string): void;
  /** It ended without being told to; it is being started again. */
  onCrash(reason: string): void;
  /** It serves again after a crash. */
  onRecovered(source: 'control-plane' | 'snapshot'): void;
}

export interface SidecarProcessOptions {
  /** The sidecar's program. */
  readonly entry: string;
  readonly optionsFile: string;
  /** What it writes to its output goes here. */
  readonly logFile: string;
  /** Its standard output is ours instead: its access log goes there. */
  readonly sharesStandardOutput?: boolean;
  /** The group it runs under; null or absent for this process's. */
  readonly group?: number | null;
  readonly events: SidecarEvents;
  readonly clock?: Clock;
}

type ReadyMessage = Extract<FromSidecar, { type: 'ready' }>;
type WithdrawnMessage = Extract<FromSidecar, { type: 'withdrawn' }>;
type DrainedMessage = Extract<FromSidecar, { type: 'drained' }>;

const firstBackOffMs = 100;
const longestBackOffMs = 5_000;
/** A sidecar that has served for this long starts again without waiting. */
const healthyAfterMs = 10_000;
const largestLogBytes = 4 * 1024 * 1024;

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : signal;
}

/** The token is in the options file, which is where the sidecar looks for it. */
function sidecarEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  delete environment['HEDDLE_TOKEN'];
  return environment;
}

/**
 * New objects get 1 MiB, as in the launcher for `heddle proxy`: that fits into a core's cache, where V8's 16 MiB would go
 * through memory again and again, and cost 30 MiB.
 */
const nodeFlags = ['--max-semi-space-size=1'];

/**
 * One sidecar over all its lives: `starting → ready → (crashed → starting)… → stopping → stopped`. It ends by itself
 * when its IPC channel closes, so it needs no guard.
 */
export class SidecarProcess {
  private readonly options: SidecarProcessOptions;
  private readonly clock: Clock;
  private child: ChildProcess | null = null;
  private exited: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  private applicationStarted = false;
  private awaitedWithdrawal: ((message: WithdrawnMessage) => void) | null = null;
  private awaitedDrain: ((message: DrainedMessage) => void) | null = null;

  constructor(options: SidecarProcessOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  /** Process id of the present life, undefined between two. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts it for the first time; resolves when its listeners serve, rejects when it can't start. */
  async start(): Promise<ReadyMessage> {
    const ready = await this.launch();
    void this.keepAlive();
    return ready;
  }

  /** The application runs: the instance is to be published once its port accepts connections. */
  announceApplication(): void {
    this.applicationStarted = true;
    this.send({ type: 'app-started' });
  }

  /** Takes the instance out of the mesh; undefined when the sidecar did not answer in time or is away. */
  async withdraw(timeoutMs: number): Promise<WithdrawnMessage | undefined> {
    const { promise, resolve } = Promise.withResolvers<WithdrawnMessage>();
    this.awaitedWithdrawal = resolve;
    return await this.ask({ type: 'withdraw', timeoutMs }, promise, timeoutMs);
  }

  /** Lets running requests end; undefined when the sidecar did not answer in time or is away. */
  async drain(timeoutMs: number): Promise<DrainedMessage | undefined> {
    const { promise, resolve } = Promise.withResolvers<DrainedMessage>();
    this.awaitedDrain = resolve;
    return await this.ask({ type: 'drain', timeoutMs }, promise, timeoutMs);
  }

  /** Ends it for good. */
  async stop(graceMs = 2_000): Promise<void> {
    this.stopping.abort();
    this.send({ type: 'stop' });
    const ended = this.exited.then(() => true);
    if ((await within(this.clock, graceMs, ended)) !== true) this.child?.kill('SIGKILL');
    await this.exited;
  }

  /** From now on a sidecar that ends stays away: the workload is ending. */
  stopRestarting(): void {
    this.stopping.abort();
  }

  private async ask<T>(message: ToSidecar, answer: Promise<T>, timeoutMs: number): Promise<T | undefined> {
    if (!this.send(message)) return undefined;
    const gone = this.exited.then(() => undefined);
    // The sidecar keeps the time itself; the second here is for its answer.
    return await within(this.clock, timeoutMs + 1_000, Promise.race([answer, gone]));
  }

  private send(message: ToSidecar): boolean {
    if (this.child?.connected !== true) return false;
    this.child.send(message, () => {
      // A channel that breaks while we write means that the sidecar ended, which is noticed elsewhere.
    });
    return true;
  }

  private async launch(): Promise<ReadyMessage> {
    const log = openSync(this.options.logFile, (await this.isLogLarge()) ? 'w' : 'a', 0o600);
    const ready = Promise.withResolvers<ReadyMessage>();
    const exited = Promise.withResolvers<void>();
    const { group = null } = this.options;
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [...nodeFlags, this.options.entry, this.options.optionsFile], {
        stdio: ['ignore', this.options.sharesStandardOutput === true ? 'inherit' : log, log, 'ipc'],
        env: sidecarEnvironment(),
        ...(group === null ? {} : { gid: group }),
        // A session of its own: Ctrl-C at the terminal must not end it before the instance has been withdrawn.
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.child = child;
    this.exited = exited.promise;
    let failure: CliError | null = null;
    child.on('message', (message) => {
      const known = message as FromSidecar;
      if (known.type === 'ready') ready.resolve(known);
      else if (known.type === 'failed') {
        failure = new CliError(known.code, known.message, { exitCode: ExitCode.runFailed });
      } else this.onMessage(known);
    });
    child.once('error', (error) => ready.reject(error));
    // Not `exit`: what it said last may still be on its way then.
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      this.child = null;
      exited.resolve();
      ready.reject(
        failure ??
          new CliError(
            'HEDDLE_SIDECAR_FAILED',
            `the sidecar ended before it was ready (${describeEnd(code, signal)})`,
            {
              hint: `it wrote to ${this.options.logFile}`,
              exitCode: ExitCode.runFailed,
            },
          ),
      );
      this.lastEnd = describeEnd(code, signal);
    });
    return await ready.promise;
  }

  private lastEnd = '';

  private onMessage(message: Exclude<FromSidecar, { type: 'ready' | 'failed' }>): void {
    if (message.type === 'published') this.options.events.onPublished();
    else if (message.type === 'warning') this.options.events.onWarning(message.message);
    else if (message.type === 'withdrawn') this.awaitedWithdrawal?.(message);
    else this.awaitedDrain?.(message);
  }

  /** Starts it again whenever it ends: at once the first time, then at growing intervals. */
  private async keepAlive(): Promise<void> {
    const { signal } = this.stopping;
    let backOffMs = 0;
    let readyAt = this.clock.monotonic();
    for (;;) {
      await this.exited;
      if (signal.aborted) return;
      if (this.clock.monotonic() - readyAt > healthyAfterMs) backOffMs = 0;
      this.options.events.onCrash(this.lastEnd);
      await delay(this.clock, backOffMs, signal);
      if (signal.aborted) return;
      backOffMs = Math.min(Math.max(backOffMs * 2, firstBackOffMs), longestBackOffMs);
      try {
        const { source } = await this.launch();
        readyAt = this.clock.monotonic();
        if (this.applicationStarted) this.send({ type: 'app-started' });
        this.options.events.onRecovered(source);
      } catch (error) {
        this.options.events.onWarning(error instanceof Error ? error.message : String(error));
        await this.exited;
      }
    }
  }

  private async isLogLarge(): Promise<boolean> {
    return await stat(this.options.logFile).then(
      (status) => status.size > largestLogBytes,
      () => false,
    );
  }
}
