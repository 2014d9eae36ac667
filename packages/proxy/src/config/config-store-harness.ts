// For tests: a store, resources for it, and requests through what it made of them.
import assert from 'node:assert/strict';
import { systemClock, systemRandom, TimerWheel } from '@heddle/base';
import { silentResolver } from '../dns/name-resolver.ts';
import { MetricRegistry } from '@heddle/telemetry';
import {
  type DeepPartial,
  encodeMessage,
  type MessageOf,
  packAny,
  type ReceivedResource,
  TypeUrl,
} from '@heddle/xds';
import { testRequest } from '../routing/request-view-harness.ts';
import { ConfigStore } from './config-store.ts';
import type { HttpFilterConfig, ListenerConfig } from './listener-config.ts';

class FakePool {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }

  dropConnections(): void {
    // There are none.
  }
}

const rawNames: Readonly<Record<string, string>> = {
  [TypeUrl.clusterLoadAssignment]: 'eds',
  [TypeUrl.routeConfiguration]: 'rds',
  [TypeUrl.virtualHost]: 'vhds',
  [TypeUrl.secret]: 'sds',
};

/** A configuration store with somebody who watches it and sends requests. */
export class Harness {
  readonly events: string[] = [];
  readonly listeners = new Map<string, ListenerConfig<FakePool>>();
  readonly registry = new MetricRegistry();
  readonly store: ConfigStore<FakePool>;

  constructor() {
    this.store = new ConfigStore<FakePool>({
      random: systemRandom,
      clock: systemClock,
      timers: new TimerWheel(systemClock),
      resolver: silentResolver,
      metrics: this.registry,
      createPool: () => new FakePool(),
      observer: {
        subscribe: (typeUrl, names) => this.events.push(`+${rawNames[typeUrl]} ${[...names].join(',')}`),
        unsubscribe: (typeUrl, names) => this.events.push(`-${rawNames[typeUrl]} ${[...names].join(',')}`),
        onListenerChanged: (listener) => {
          this.events.push(`listener ${listener.name}`);
          this.listeners.set(listener.name, listener);
        },
        onDnsListenerChanged: () => undefined,
        onDnsListenerRemoved: () => undefined,
        onListenerRemoved: (name) => this.events.push(`no listener ${name}`),
        onClusterChanged: () => undefined,
        onTrustBundleChanged: (name, roots) => this.events.push(`bundle ${name} ${roots}`),
        onCommitted: () => {},
      },
    });
  }

  /** Applies a message and returns what is wrong with it. */
  apply<U extends TypeUrl>(typeUrl: U, name: string, message: DeepPartial<MessageOf<U>>): string | null {
    return this.store.apply(typeUrl, this.resource(typeUrl, name, message));
  }

  accept<U extends TypeUrl>(typeUrl: U, name: string, message: DeepPartial<MessageOf<U>>): void {
    assert.equal(this.apply(typeUrl, name, message), null);
  }

  resource<U extends TypeUrl>(
    typeUrl: U,
    name: string,
    message: DeepPartial<MessageOf<U>>,
  ): ReceivedResource {
    return { name, version: '1', bytes: encodeMessage(typeUrl, message) };
  }

  /** Sends a request to a listener: the address of the endpoint that gets it, or why none does. */
  send(listener: string, authority: string, path = '/'): string {
    const request = testRequest({ path, authority });
    const match = this.routesOf(listener)?.current?.match(request, systemRandom);
    if (match === null || match === undefined) return 'no route';
    const cluster = match.cluster?.get() ?? null;
    if (cluster === null) return 'no cluster';
    return cluster.pick(systemRandom, authority)?.address ?? 'no endpoint';
  }

  /** Where a listener's first filter chain finds its routes; null where it has none. */
  routesOf(listener: string): HttpFilterConfig<FakePool>['routes'] | null {
    const filter = this.listeners.get(listener)?.filterChains[0]?.filter;
    return filter?.kind === 'http' ? filter.routes : null;
  }

  takeEvents(): string[] {
    return this.events.splice(0);
  }
}

export const ads = { configSourceSpecifier: { $case: 'ads', value: {} } } as const;
export const socketAddress = (address: string, port: number) =>
  ({
    address: {
      $case: 'socketAddress',
      value: { address, portSpecifier: { $case: 'portValue', value: port } },
    },
  }) as const;

export function edsCluster(name: string, changes: DeepPartial<MessageOf<typeof TypeUrl.cluster>> = {}) {
  return {
    name,
    clusterDiscoveryType: { $case: 'type', value: 3 },
    edsClusterConfig: { edsConfig: ads },
    ...changes,
  } as const;
}

export function assignment(name: string, ...ports: number[]) {
  return {
    clusterName: name,
    endpoints: [
      {
        lbEndpoints: ports.map((port) => ({
          hostIdentifier: { $case: 'endpoint', value: { address: socketAddress('10.0.0.1', port) } } as const,
        })),
      },
    ],
  };
}

export const router = {
  name: 'envoy.filters.http.router',
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.router, {}) },
} as const;

export type Manager = DeepPartial<MessageOf<typeof TypeUrl.httpConnectionManager>>;

export function listener(
  name: string,
  manager: Manager,
  port = 15_001,
): DeepPartial<MessageOf<typeof TypeUrl.listener>> {
  return {
    name,
    address: socketAddress('127.0.0.1', port),
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: {
              $case: 'typedConfig',
              value: packAny(TypeUrl.httpConnectionManager, {
                statPrefix: name,
                httpFilters: [router],
                ...manager,
              }),
            },
          },
        ],
      },
    ],
  };
}

export function rdsListener(name: string, routeConfigName: string, port?: number) {
  return listener(
    name,
    { routeSpecifier: { $case: 'rds', value: { configSource: ads, routeConfigName } } },
    port,
  );
}

export function route(cluster: string, prefix = '/') {
  return {
    match: { pathSpecifier: { $case: 'prefix', value: prefix } },
    action: { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value: cluster } } },
  } as const;
}

export function routes(
  name: string,
  hosts: Record<string, string>,
): DeepPartial<MessageOf<typeof TypeUrl.routeConfiguration>> {
  return {
    name,
    virtualHosts: Object.entries(hosts).map(([domain, cluster]) => ({
      name: domain,
      domains: [domain],
      routes: [route(cluster)],
    })),
  };
}

/** A sidecar with one outbound listener and two services. */
export function sidecar(): Harness {
  const harness = new Harness();
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a'));
  harness.accept(TypeUrl.cluster, 'b', edsCluster('b'));
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 1));
  harness.accept(TypeUrl.clusterLoadAssignment, 'b', assignment('b', 2));
  harness.accept(TypeUrl.listener, 'out', rdsListener('out', 'r'));
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a', b: 'b' }));
  harness.store.commit(TypeUrl.listener);
  harness.takeEvents();
  return harness;
}
