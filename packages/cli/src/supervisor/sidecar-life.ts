// One process of a sidecar, from its start to its end.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '@heddle/base';
import { environmentOfSockets, type FromSidecar, type ToSidecar } from '@heddle/proxy';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { within } from './delay.ts';
import { sidecarEnvironment } from './environment.ts';
import { type HandedOverSocket, HandedOverSockets, type SocketHandle } from './handed-over-sockets.ts';

/** How a sidecar is started. */
export interface SidecarProgram {
  /** The file that Node runs. */
  readonly entry: string;
  readonly optionsFile: string;
  /** What it writes to its output goes here. */
  readonly logFile: string;
  /** Its standard output is ours instead: its access log goes there. */
  readonly sharesStandardOutput?: boolean;
  /** The group it runs under; null or absent for this process's. */
  readonly group?: number | null;
}

export type ReadyMessage = Extract<FromSidecar, { type: 'ready' }>;
/** What a sidecar answers when it is asked for something. */
type Answers = { readonly [T in AnswerType]: Extract<FromSidecar, { type: T }> };
type AnswerType = 'withdrawn' | 'drained' | 'handed-over';

/** What a sidecar says of itself while it serves. */
export interface SidecarNews {
  onPublished(): void;
  onWarning(message: string): void;
}

const largestLogBytes = 4 * 1024 * 1024;
/**
 * New objects get 1 MiB, as in the launcher for `heddle proxy`: that fits into a core's cache, where V8's 16 MiB would go
 * through memory again and again, and cost 30 MiB.
 */
const nodeFlags = ['--max-semi-space-size=1'];

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : signal;
}

async function isLarge(file: string): Promise<boolean> {
  return await stat(file).then(
    (status) => status.size > largestLogBytes,
    () => false,
  );
}

/** It ends by itself when its IPC channel closes, so it needs no guard. */
export class SidecarLife {
  /** Resolves when its listeners serve; rejects when it can't start. */
  readonly ready: Promise<ReadyMessage>;
  readonly exited: Promise<void>;
  /** How it ended, for people; empty while it runs. */
  end = '';
  private isReady = false;
  private readonly clock: Clock;
  private readonly news: SidecarNews;
  private readonly child: ChildProcess;
  private readonly awaited = new Map<AnswerType, (answer: FromSidecar) => void>();
  private handedOver: HandedOverSockets | null = null;

  /** Starts one; `sockets` are those of the one before it. */
  static async start(
    program: SidecarProgram,
    clock: Clock,
    sockets: readonly HandedOverSocket[],
    news: SidecarNews,
  ): Promise<SidecarLife> {
    const log = openSync(program.logFile, (await isLarge(program.logFile)) ? 'w' : 'a', 0o600);
    try {
      return new SidecarLife(program, clock, log, sockets, news);
    } finally {
      closeSync(log);
    }
  }

  private constructor(
    { entry, optionsFile, logFile, sharesStandardOutput = false, group = null }: SidecarProgram,
    clock: Clock,
    log: number,
    sockets: readonly HandedOverSocket[],
    news: SidecarNews,
  ) {
    this.clock = clock;
    this.news = news;
    const ready = Promise.withResolvers<ReadyMessage>();
    const exited = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.exited = exited.promise;
    const child = spawn(process.execPath, [...nodeFlags, entry, optionsFile], {
      stdio: [
        'ignore',
        sharesStandardOutput ? 'inherit' : log,
        log,
        'ipc',
        ...sockets.map(({ descriptor }) => descriptor),
      ],
      env: {
        ...sidecarEnvironment(process.env, entry),
        ...environmentOfSockets(sockets.map(({ address }) => address)),
      },
      ...(group === null ? {} : { gid: group }),
      // A session of its own: Ctrl-C at the terminal must not end it before the instance has been withdrawn.
      detached: true,
    });
    this.child = child;
    let failure: CliError | null = null;
    child.on('message', (message, handle) => {
      const known = message as FromSidecar;
      if (known.type === 'ready') {
        this.isReady = true;
        ready.resolve(known);
      } else if (known.type === 'failed') {
        failure = new CliError(known.code, known.message, { exitCode: ExitCode.runFailed });
      } else this.hear(known, handle);
    });
    child.once('error', (error) => ready.reject(error));
    // Not `exit`: what it said last may still be on its way then.
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      this.end = describeEnd(code, signal);
      exited.resolve();
      ready.reject(
        failure ??
          new CliError('HEDDLE_SIDECAR_FAILED', `the sidecar ended before it was ready (${this.end})`, {
            hint: `it wrote to ${logFile}`,
            exitCode: ExitCode.runFailed,
          }),
      );
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get isServing(): boolean {
    return this.isReady && this.end === '';
  }

  /** False where nobody is there to hear it. */
  send(message: ToSidecar): boolean {
    if (!this.child.connected) return false;
    this.child.send(message, () => {
      // A channel that breaks while we write means that the sidecar ended, which is noticed elsewhere.
    });
    return true;
  }

  /** Asks for something; undefined where it does not answer within `timeoutMs`, ends first, or is asked again. */
  async ask<T extends AnswerType>(
    message: ToSidecar,
    type: T,
    timeoutMs: number,
  ): Promise<Answers[T] | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answers[T]>();
    // It is called with answers of this type only.
    this.awaited.set(type, resolve as (answer: FromSidecar) => void);
    if (!this.send(message)) return undefined;
    const gone = this.exited.then(() => undefined);
    return await within(this.clock, timeoutMs, Promise.race([promise, gone]));
  }

  /** Asks for the sockets that it listens on, for the one that is to take over; null where they don't come in time. */
  async handOver(timeoutMs: number): Promise<HandedOverSockets | null> {
    const sockets = new HandedOverSockets();
    this.handedOver = sockets;
    const answer = await this.ask({ type: 'hand-over' }, 'handed-over', timeoutMs);
    this.handedOver = null;
    if (answer !== undefined) return sockets;
    sockets.close();
    return null;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private hear(message: Exclude<FromSidecar, { type: 'ready' | 'failed' }>, handle: unknown): void {
    switch (message.type) {
      case 'published':
        this.news.onPublished();
        break;
      case 'warning':
        this.news.onWarning(message.message);
        break;
      case 'socket':
        takeSocket(this.handedOver, message.address, handle);
        break;
      default:
        this.awaited.get(message.type)?.(message);
        this.awaited.delete(message.type);
    }
  }
}

/** One that nobody waits for any more, such as after a time-out, is closed. */
function takeSocket(sockets: HandedOverSockets | null, address: string, handle: unknown): void {
  // Node sends its own object along, which nobody listens on here.
  const socket = handle as SocketHandle | undefined;
  if (sockets === null) socket?.close();
  else if (socket !== undefined) sockets.add(address, socket);
}
