import { type Clock, type Problem, type Random, TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { ConfigStore } from '../config/config-store.ts';
import { silentResolver } from '../dns/name-resolver.ts';
import { accessLogProblem } from './access-log-problem.ts';
import { applyBootstrap, NoSubscriber, readBootstrap } from './bootstrap.ts';
import type { ParsedFile } from './problem-place.ts';
import { unopenableLogs } from './unopenable-logs.ts';

/** Everything that is wrong with a bootstrap file, with places, access logs that can't be opened among it; nothing is opened or bound. */
export function validateBootstrap(source: ParsedFile, clock: Clock, random: Random): readonly Problem[] {
  const config = readBootstrap(source);
  if (!config.ok) return config.error;
  const subscriber = new NoSubscriber();
  const nothing = (): void => undefined;
  const logs: Problem[] = [];
  const store = new ConfigStore({
    random,
    clock,
    timers: new TimerWheel(clock),
    resolver: silentResolver,
    metrics: new MetricRegistry(),
    createPool: () => ({ close: nothing, dropConnections: nothing }),
    observer: {
      subscribe: (typeUrl, names) => subscriber.subscribe(typeUrl, names),
      unsubscribe: nothing,
      onListenerChanged: (listener) => {
        logs.push(...unopenableLogs(listener).map((failure) => accessLogProblem(failure, source)));
      },
      onDnsListenerChanged: () => undefined,
      onDnsListenerRemoved: () => undefined,
      onListenerRemoved: nothing,
      onClusterChanged: nothing,
      onTrustBundleChanged: nothing,
      onCommitted: nothing,
    },
  });
  const problems = applyBootstrap(config.value, store, subscriber, source);
  store.close();
  return [...problems, ...logs];
}
