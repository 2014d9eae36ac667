// The worker threads beside the main one: started, told what is to do, asked what they know, and started again after a crash.
import { Worker } from 'node:worker_threads';
import { type Clock, errorMessage, HeddleError, type Logger } from '@heddle/base';
import type { MetricFamily } from '@heddle/telemetry';
import type { DuplicateSocket, OpenSocket } from '../transport/socket-source.ts';
import { closeLeftOpen } from '../transport/sys/close-left-open.ts';
import { DescriptorLedger } from '../transport/sys/descriptor-ledger.ts';
import type { ClusterStatus } from './cluster-status.ts';
import { mergeFamilies } from './merge-families.ts';
import type { WorkerThreads } from './proxy-threads.ts';
import { allocateCounts, SharedCounts } from './shared-counts.ts';
import type { BindObserver } from './shared-sockets.ts';
import type { ThreadCommand } from './thread-command.ts';
import type {
  FromWorker,
  ToWorker,
  WorkerQuestion,
  WorkerSecrets,
  WorkerSettings,
  WorkerStart,
} from './worker-messages.ts';

/** A thread that ends more often than this within a minute has a reason that another start does not mend. */
const maxCrashes = 5;
const crashWindowMs = 60_000;

export interface WorkerPoolOptions {
  /** Threads beside the main one. */
  readonly count: number;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What brings a thread that starts late to where the others are. */
  readonly catchUp: () => Iterable<ThreadCommand>;
  /** Threads keep ending: the process is to end too. */
  readonly onFailed: (error: HeddleError) => void;
}

/** One worker thread and what it has been asked. */
class WorkerThread {
  readonly index: number;
  private readonly worker: Worker;
  private readonly asked = new Map<number, (value: unknown) => void>();
  private nextId = 0;
  private isGone = false;

  constructor(start: WorkerStart, onEnd: (reason: string) => void) {
    this.index = start.thread;
    const ledger = new DescriptorLedger(start.descriptors);
    this.worker = new Worker(new URL('./worker-main.ts', import.meta.url), {
      workerData: start,
      name: `worker-${start.thread}`,
    });
    let reason = '';
    this.worker.on('error', (error) => (reason = errorMessage(error)));
    this.worker.on('exit', (code) => {
      this.isGone = true;
      closeLeftOpen(ledger);
      for (const resolve of this.asked.values()) resolve(null);
      this.asked.clear();
      onEnd(reason === '' ? `exit code ${code}` : reason);
    });
    this.worker.on('message', ({ id, value }: FromWorker) => {
      this.asked.get(id)?.(value);
      this.asked.delete(id);
    });
  }

  post(message: ToWorker): void {
    if (!this.isGone) this.worker.postMessage(message);
  }

  /** The answer, null where the thread ends before it gives one. */
  ask(question: WorkerQuestion): Promise<unknown> {
    if (this.isGone) return Promise.resolve(null);
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.asked.set(id, resolve);
      this.post({ type: 'ask', id, question });
    });
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }
}

/** What the main thread listens on. */
interface Bound {
  readonly port: number;
  readonly duplicate: DuplicateSocket;
}

export class WorkerPool implements WorkerThreads, BindObserver {
  /** What limits count, as the main thread is to count it. */
  readonly counts: SharedCounts;
  private readonly options: WorkerPoolOptions;
  private readonly memory: SharedArrayBuffer;
  private readonly threads: WorkerThread[] = [];
  /** Ports of the addresses that the main thread listens on. */
  private readonly bound = new Map<string, Bound[]>();
  private secrets: WorkerSecrets | null = null;
  /** By thread, what it counted when it was last asked: a thread that crashes takes less with it. */
  private readonly lastFamilies = new Map<number, readonly MetricFamily[]>();
  /** Counters and histograms of threads that are no more. */
  private retired: readonly MetricFamily[] = [];
  private crashTimes: number[] = [];
  private isClosing = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
    const threads = options.count + 1;
    this.memory = allocateCounts(threads);
    this.counts = new SharedCounts(this.memory, threads, 0);
    for (let index = 1; index <= options.count; index++) this.threads.push(this.startThread(index));
  }

  get size(): number {
    return this.options.count;
  }

  post(command: ThreadCommand): void {
    if (command.type === 'reset-counters') this.retired = [];
    this.postAll({ type: 'run', command });
  }

  /** A sidecar's identity came or changed. */
  replaceSecrets(secrets: WorkerSecrets): void {
    this.secrets = secrets;
    this.postAll({ type: 'secrets', secrets });
  }

  async families(): Promise<readonly (readonly MetricFamily[])[]> {
    const lists = await Promise.all(
      this.threads.map(async (thread) => {
        // Asked for families, a thread answers with them.
        const families = (await thread.ask({ about: 'families' })) as readonly MetricFamily[] | null;
        if (families !== null) this.lastFamilies.set(thread.index, families);
        return families ?? [];
      }),
    );
    return [...lists, this.retired];
  }

  async clusters(): Promise<readonly (readonly ClusterStatus[])[]> {
    return await this.askAll<readonly ClusterStatus[]>({ about: 'clusters' });
  }

  async openSockets(): Promise<readonly OpenSocket[]> {
    return (await this.askAll<readonly OpenSocket[]>({ about: 'sockets' })).flat();
  }

  /** Resolves when all threads listen where the main thread does. */
  async settled(): Promise<void> {
    await this.askAll({ about: 'settled' });
  }

  async drain(timeoutMs: number): Promise<readonly number[]> {
    return await this.askAll<number>({ about: 'drain', timeoutMs });
  }

  async departure(timeoutMs: number): Promise<void> {
    await this.askAll({ about: 'departure', timeoutMs });
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.askAll({ about: 'close' });
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  onBound(address: string, port: number, spare: readonly number[], duplicate: DuplicateSocket): void {
    const known = this.bound.get(address);
    const bound = { port, duplicate };
    if (known === undefined) this.bound.set(address, [bound]);
    else known.push(bound);
    for (const [index, thread] of this.threads.entries()) {
      thread.post({ type: 'bound', bound: { address, port, descriptor: spare[index] ?? duplicate() } });
    }
  }

  onClosed(address: string, port: number): void {
    // Refused: the threads that wait for it are told.
    if (port < 0) this.postAll({ type: 'bound', bound: { address, port, descriptor: null } });
    const rest = (this.bound.get(address) ?? []).filter((known) => known.port !== port);
    this.bound.set(address, rest);
  }

  private postAll(message: ToWorker): void {
    for (const thread of this.threads) thread.post(message);
  }

  /** What the threads answer, without those that end meanwhile. */
  private async askAll<T>(question: WorkerQuestion): Promise<T[]> {
    const answers = await Promise.all(this.threads.map((thread) => thread.ask(question)));
    // A question's kind decides what is answered.
    return answers.filter((value) => value !== null) as T[];
  }

  private startThread(index: number): WorkerThread {
    const threads = this.size + 1;
    const descriptors = new DescriptorLedger().memory;
    const start = { ...this.options.settings, thread: index, threads, counts: this.memory, descriptors };
    return new WorkerThread(start, (reason) => this.restart(index, reason));
  }

  private restart(index: number, reason: string): void {
    if (this.isClosing) return;
    const { clock, logger, catchUp, onFailed } = this.options;
    this.counts.forget(index);
    const lost = this.lastFamilies.get(index) ?? [];
    this.lastFamilies.delete(index);
    this.retired = mergeFamilies([this.retired, lost.filter(({ type }) => type !== 'gauge')], () => false);
    const now = clock.monotonic();
    this.crashTimes = [...this.crashTimes.filter((time) => now - time < crashWindowMs), now];
    if (this.crashTimes.length > maxCrashes) {
      this.isClosing = true;
      onFailed(
        new HeddleError(
          'HEDDLE_WORKER_FAILED',
          `worker threads have ended ${this.crashTimes.length} times within a minute, the last one with: ${reason}`,
        ),
      );
      return;
    }
    logger.error('A worker thread ended and is being started again', { thread: index, reason });
    const thread = this.startThread(index);
    this.threads[index - 1] = thread;
    if (this.secrets !== null) thread.post({ type: 'secrets', secrets: this.secrets });
    for (const command of catchUp()) thread.post({ type: 'run', command });
    for (const [address, all] of this.bound) {
      for (const { port, duplicate } of all)
        thread.post({ type: 'bound', bound: { address, port, descriptor: duplicate() } });
    }
  }
}
