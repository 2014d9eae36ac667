import { type Clock, type Problem, type Random, TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { ConfigStore } from '../config/config-store.ts';
import { silentResolver } from '../dns/name-resolver.ts';
import { applyBootstrap, NoSubscriber, readBootstrap } from './bootstrap.ts';
import type { ParsedFile } from './problem-place.ts';

/** Everything that is wrong with a bootstrap file, with places; nothing is opened or bound. */
export function validateBootstrap(source: ParsedFile, clock: Clock, random: Random): readonly Problem[] {
  const config = readBootstrap(source);
  if (!config.ok) return config.error;
  const subscriber = new NoSubscriber();
  const nothing = (): void => undefined;
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
      onListenerChanged: nothing,
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
  return problems;
}
