// What every thread of a proxy is told alike: the main thread does it itself and posts it to the others.
import { invariant } from '@heddle/base';
import { compileStaticSecrets } from '../config/compile-static-secrets.ts';
import { ProblemList } from '../config/problem-list.ts';
import type { MaterialsRecord } from '../config/tls-materials.ts';
import type { EnvoyLogLevel, LoggerName, Loggers } from '../stack/loggers.ts';
import type { Proxy } from '../stack/proxy.ts';

export type ThreadCommand =
  /** A resource that the main thread has taken: encoded, because decoded ones are slow to hand over. */
  | { readonly type: 'apply'; readonly typeUrl: string; readonly name: string; readonly bytes: Uint8Array }
  /** Files and secrets that the resources behind it name. */
  | { readonly type: 'materials'; readonly materials: MaterialsRecord }
  | { readonly type: 'remove'; readonly typeUrl: string; readonly name: string }
  | { readonly type: 'commit'; readonly typeUrl: string }
  | { readonly type: 'health-check'; readonly isFailed: boolean }
  | { readonly type: 'drain-listeners'; readonly drain: ListenerDrain }
  /** A null name moves all levels. */
  | { readonly type: 'log-level'; readonly name: LoggerName | null; readonly level: EnvoyLogLevel }
  | { readonly type: 'reset-counters' }
  | { readonly type: 'reopen-logs' };

/** What `/drain_listeners` was asked for. */
export interface ListenerDrain {
  /** Ask clients to go for the drain time before the listeners are closed. */
  readonly isGraceful: boolean;
  readonly inboundOnly: boolean;
  /** Ask clients to go, and never close the listeners. */
  readonly keepsListeners: boolean;
}

/** Does what a command says on this thread; may be interrupted between two steps. */
export function* executeInSteps(
  command: ThreadCommand,
  proxy: Proxy,
  loggers: Loggers | null,
): Generator<unknown, void> {
  if (command.type !== 'apply') {
    execute(command, proxy, loggers);
    return;
  }
  const { typeUrl, name, bytes } = command;
  const refused = yield* proxy.config.applySteps(typeUrl, { name, version: '', bytes });
  invariant(refused === null, 'what one thread has taken is right on all of them');
}

/** Does what a command says on this thread, at once. */
export function execute(command: ThreadCommand, proxy: Proxy, loggers: Loggers | null): void {
  switch (command.type) {
    case 'apply': {
      const problems = proxy.config.applyResource(command.typeUrl, command.name, command.bytes);
      invariant(problems.length === 0, 'what one thread has taken is right on all of them');
      break;
    }
    case 'materials': {
      const { materials } = proxy.config;
      materials.adopt(command.materials);
      const problems = new ProblemList();
      compileStaticSecrets(command.materials, materials, problems);
      invariant(problems.isEmpty, 'secrets that one thread has read are right on all of them');
      break;
    }
    case 'remove':
      proxy.config.remove(command.typeUrl, command.name);
      break;
    case 'commit':
      proxy.config.commit(command.typeUrl);
      break;
    case 'health-check':
      proxy.drains.isHealthCheckFailed = command.isFailed;
      break;
    case 'drain-listeners':
      drainListeners(command.drain, proxy);
      break;
    case 'log-level':
      loggers?.setLevel(command.name, command.level);
      break;
    case 'reset-counters':
      proxy.registry.resetCounters();
      break;
    case 'reopen-logs':
      proxy.logFiles.reopen();
      break;
  }
}

function drainListeners({ isGraceful, inboundOnly, keepsListeners }: ListenerDrain, proxy: Proxy): void {
  const stop = (): void => {
    void proxy.listeners.stop(inboundOnly).then((count) => (proxy.metrics.listenerStopped.value += count));
  };
  if (keepsListeners) proxy.drains.start(inboundOnly, () => undefined);
  else if (isGraceful) proxy.drains.start(inboundOnly, stop);
  else stop();
}
