// The worker threads of a sidecar. Loaded where there is more than one thread.
import { type HeddleError, systemClock } from '@heddle/base';
import type { WorkloadIdentity } from '@heddle/identity';
import { noConnectionLimits } from '../listener/connection-admission.ts';
import type { EnvoyLogLevel, Loggers } from '../stack/loggers.ts';
import type { ThreadCommand } from '../threads/thread-command.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import type { SidecarOptions } from './options.ts';
import { sidecarDrain, workloadLabelsOf } from './sidecar.ts';

/** What a sidecar's threads have in common. */
export interface SidecarThreads {
  readonly level: EnvoyLogLevel;
  readonly identity: WorkloadIdentity;
  readonly shared: { readonly viaName: string; readonly ticketSecret: Buffer };
  readonly loggers: Loggers;
  readonly catchUp: () => Iterable<ThreadCommand>;
  /** They keep ending. */
  readonly onFailed: (error: HeddleError) => void;
}

/** Starts the threads beside the main one; their identity follows that of this one. */
export function startWorkers(options: SidecarOptions, threads: SidecarThreads): WorkerPool {
  const { level, identity, shared, loggers, catchUp, onFailed } = threads;
  const pool = new WorkerPool({
    count: options.concurrency - 1,
    settings: {
      logLevel: level,
      logFields: { instance: options.instance },
      drain: sidecarDrain,
      workload: workloadLabelsOf(options, identity.id),
      limits: noConnectionLimits,
      listensWhenWarm: false,
      ...shared,
    },
    clock: systemClock,
    logger: loggers.get('main'),
    catchUp,
    onFailed,
  });
  const tellIdentity = (): void => {
    const { certificate, bundle } = identity;
    pool.replaceSecrets({
      certificateChain: certificate.certificateChain,
      privateKey: certificate.privateKey,
      certificateVersion: certificate.version,
      trustDomain: bundle.trustDomain,
      roots: bundle.pem,
    });
  };
  identity.onChange(tellIdentity);
  tellIdentity();
  return pool;
}
