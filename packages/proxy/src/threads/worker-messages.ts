// What passes between the main thread and the worker threads.
import type { ConnectionLimits } from '../listener/connection-admission.ts';
import type { EnvoyLogLevel } from '../stack/loggers.ts';
import type { DrainOptions } from '../stack/proxy.ts';
import type { WorkloadLabels } from '../stats/traffic-metrics.ts';
import type { ThreadCommand } from './thread-command.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly logLevel: EnvoyLogLevel;
  /** Fields of every line that it logs. */
  readonly logFields: Readonly<Record<string, string>>;
  readonly drain: DrainOptions;
  /** The process's name in `Via`, the same for all threads: a request that comes back is known whoever sent it. */
  readonly viaName: string;
  readonly workload: WorkloadLabels | null;
  /** What session tickets are made of: a client may resume on any thread. */
  readonly ticketSecret: Uint8Array;
  readonly limits: ConnectionLimits;
  readonly listensWhenWarm: boolean;
}

/** What the pool tells each worker beside its settings. */
export interface WorkerStart extends WorkerSettings {
  /** The main thread is 0. */
  readonly thread: number;
  /** How many there are, the main one included. */
  readonly threads: number;
  /** What limits count, for all threads. */
  readonly counts: SharedArrayBuffer;
  /** Of a `DescriptorLedger`: what this thread has open. */
  readonly descriptors: SharedArrayBuffer;
}

/** A sidecar's identity. It stays within the process. */
export interface WorkerSecrets {
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly certificateVersion: string;
  readonly trustDomain: string;
  readonly roots: string;
}

/** A listening address that the main thread has bound. */
export interface BoundAddress {
  /** As it was asked for. */
  readonly address: string;
  /** -1 where it could not be bound. */
  readonly port: number;
  /** A socket that the worker is to take over; null: it opens its own on the port, or does without a Unix socket. */
  readonly descriptor: number | null;
}

export type ToWorker =
  | { readonly type: 'run'; readonly command: ThreadCommand }
  | { readonly type: 'bound'; readonly bound: BoundAddress }
  | { readonly type: 'secrets'; readonly secrets: WorkerSecrets }
  | { readonly type: 'ask'; readonly id: number; readonly question: WorkerQuestion };

/** Answered once what was to run before has run. */
export type WorkerQuestion =
  /** `MetricFamily[]` */
  | { readonly about: 'families' }
  /** `ClusterStatus[]` */
  | { readonly about: 'clusters' }
  /** `OpenSocket[]` */
  | { readonly about: 'sockets' }
  /** Null, once all listeners are bound. */
  | { readonly about: 'settled' }
  /** Requests still running when the time was up. */
  | { readonly about: 'drain'; readonly timeoutMs: number }
  /** Null, once no connection is open or the time is up. */
  | { readonly about: 'departure'; readonly timeoutMs: number }
  /** Null, once everything is closed. */
  | { readonly about: 'close' };

export interface FromWorker {
  readonly id: number;
  readonly value: unknown;
}
