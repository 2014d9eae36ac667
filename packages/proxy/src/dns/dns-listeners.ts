// A proxy's DNS listeners: bound, changed and closed as their configuration says.
import type { Random } from '@heddle/base';
import type { MetricRegistry } from '@heddle/telemetry';
import type { BindGate } from '../listener/bind-gate.ts';
import { QueryAnswerer } from './answer-query.ts';
import type { DnsClient, DnsServers } from './dns-client.ts';
import type { DnsListenerConfig } from './dns-listener-config.ts';
import { DnsListener, type DnsListenerOptions } from './dns-listener.ts';
import { DnsListenerMetrics } from './dns-listener-metrics.ts';
import { NameTable } from './name-table.ts';
import type { ResolverConfiguration } from './resolver-configuration.ts';

export interface DnsListenersOptions extends DnsListenerOptions {
  readonly client: DnsClient;
  readonly configuration: () => ResolverConfiguration;
  readonly random: Random;
  readonly registry: MetricRegistry;
  readonly gate: BindGate;
}

interface Entry {
  config: DnsListenerConfig;
  metrics: DnsListenerMetrics | null;
  listener: DnsListener | null;
}

export class DnsListeners {
  private readonly options: DnsListenersOptions;
  private readonly entries = new Map<string, Entry>();
  /** Changes happen one after the other: an address is free before the next one takes it. */
  private last: Promise<void> = Promise.resolve();

  constructor(options: DnsListenersOptions) {
    this.options = options;
  }

  /** Where they listen, by name. */
  get addresses(): ReadonlyMap<string, DnsListener['address']> {
    const addresses = new Map<string, DnsListener['address']>();
    for (const [name, { listener }] of this.entries)
      if (listener !== null) addresses.set(name, listener.address);
    return addresses;
  }

  /** Takes a new or changed listener; a change of its table is in force at once, without a query being lost. */
  apply(config: DnsListenerConfig): Promise<void> {
    return this.inTurn(async () => {
      const known = this.entries.get(config.name);
      const { host, port } = config.address;
      const isSame = known?.config.address.host === host && known.config.address.port === port;
      if (!isSame || known.listener === null) {
        await this.options.gate.pass(() => this.open(config));
        return;
      }
      this.adopt(known, config);
    });
  }

  remove(name: string): Promise<void> {
    return this.inTurn(async () => {
      const entry = this.entries.get(name);
      this.entries.delete(name);
      entry?.metrics?.close();
      await entry?.listener?.close();
    });
  }

  /** Nothing is listened on any more. */
  async close(): Promise<void> {
    this.options.gate.shut();
    await Promise.all([...this.entries.keys()].map((name) => this.remove(name)));
  }

  /** What was asked for changes; the socket stays. */
  private adopt(entry: Entry, config: DnsListenerConfig): QueryAnswerer {
    const metrics = new DnsListenerMetrics(this.options.registry, config.statPrefix);
    entry.metrics?.close();
    entry.metrics = metrics;
    entry.config = config;
    const answerer = this.answererOf(config, metrics);
    if (entry.listener !== null) entry.listener.answerer = answerer;
    return answerer;
  }

  private async open(config: DnsListenerConfig): Promise<void> {
    const entry: Entry = this.entries.get(config.name) ?? { config, metrics: null, listener: null };
    this.entries.set(config.name, entry);
    await entry.listener?.close();
    entry.listener = null;
    entry.listener = await DnsListener.open(config.address, this.adopt(entry, config), this.options);
  }

  private answererOf(config: DnsListenerConfig, metrics: DnsListenerMetrics): QueryAnswerer {
    const { client, random, configuration } = this.options;
    return new QueryAnswerer({
      table: new NameTable(config.entries),
      client,
      servers: () => serversOf(config, configuration(), this.addresses.values()),
      maxPendingLookups: config.maxPendingLookups,
      random,
      metrics,
    });
  }

  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.last.then(change);
    this.last = done.catch(() => undefined);
    return done;
  }
}

/** Whom to ask: never ourselves, which resolv.conf may well name. */
export function serversOf(
  config: DnsListenerConfig,
  system: ResolverConfiguration,
  own: Iterable<{ readonly host: string; readonly port: number }>,
): DnsServers {
  const mine = [...own];
  const isOwn = ({ host, port }: { host: string; port: number }): boolean =>
    mine.some((address) => address.host === host && address.port === port);
  return {
    servers: (config.servers ?? system.servers).filter((server) => !isOwn(server)),
    timeoutMs: config.timeoutMs ?? system.timeoutMs,
    attempts: config.attempts ?? system.attempts,
    usesTcp: system.usesTcp,
  };
}
