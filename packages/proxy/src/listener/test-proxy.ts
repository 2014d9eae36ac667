// For tests: a whole proxy configured in Envoy's JSON, on any transport.
import type { DnsEnvironment } from '../dns/dns-environment.ts';
import { systemDns } from '../dns/system-dns.ts';
import assert from 'node:assert/strict';
import { type Clock, type Random, silentLogger } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import { NoSubscriber, applyBootstrap, readBootstrap } from '../bootstrap/bootstrap.ts';
import type { OriginalDestinations } from './active-listener.ts';
import type { ConnectionLimits } from './connection-admission.ts';
import { type DrainOptions, Proxy, defaultDrain } from '../stack/proxy.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import type { Transport } from '../transport/transport.ts';

export interface ConfiguredProxyOptions {
  /** This machine's where it is left out. */
  readonly dns?: DnsEnvironment;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly secrets?: SecretProvider;
  readonly originalDestinations?: OriginalDestinations;
  readonly limits?: ConnectionLimits;
  readonly listensWhenWarm?: boolean;
  readonly drain?: DrainOptions;
}

const noSecrets: SecretProvider = { certificate: () => null, trustBundle: () => null };
const typePrefix = 'type.googleapis.com/envoy.extensions.';

/** A `typed_config`; `type` is what follows `envoy.extensions.`. */
export function typed(type: string, config: object = {}): object {
  return { '@type': `${typePrefix}${type}`, ...config };
}

export function socketAddress(host: string, port: number): object {
  return { socket_address: { address: host, port_value: port } };
}

/** A filter chain that ends in a TCP proxy. */
export function tcpChain(proxy: object, chain: object = {}): object {
  const config = typed('filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'tcp', ...proxy });
  return { filters: [{ name: 'envoy.filters.network.tcp_proxy', typed_config: config }], ...chain };
}

/** A filter chain that answers every request with `body`. */
export function httpChain(body: string, chain: object = {}): object {
  return managerChain({ direct_response: { status: 200, body: { inline_string: body } } }, chain);
}

/** A filter chain that sends every request to a cluster; `manager`: what else its connection manager is told. */
export function routedHttpChain(cluster: string, chain: object = {}, manager: object = {}): object {
  return managerChain({ route: { cluster } }, chain, manager);
}

function managerChain(action: object, chain: object, manager: object = {}): object {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: typed('filters.http.router.v3.Router'),
  };
  const route = { match: { prefix: '/' }, ...action };
  const config = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'http',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [router],
    ...manager,
  });
  return { filters: [{ name: 'hcm', typed_config: config }], ...chain };
}

/** A static cluster with endpoints on `host`. */
export function staticCluster(
  name: string,
  host: string,
  ports: readonly number[],
  changes: object = {},
): object {
  const endpoints = ports.map((port) => ({ endpoint: { address: socketAddress(host, port) } }));
  return {
    name,
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] },
    ...changes,
  };
}

export class ConfiguredProxy {
  readonly proxy: Proxy;
  private readonly subscriber = new NoSubscriber();
  private committed = Promise.withResolvers<void>();

  constructor(options: ConfiguredProxyOptions) {
    this.proxy = new Proxy({
      ...options,
      dns: options.dns ?? systemDns(options.clock, new NodeDatagrams(), true),
      secrets: options.secrets ?? noSecrets,
      drain: options.drain ?? defaultDrain,
      loggers: { get: () => silentLogger },
      workload: null,
      subscriber: this.subscriber,
      onTrustBundleChanged: () => undefined,
      onListenFailed: (error) => this.committed.reject(error),
      onCommitted: () => this.committed.resolve(),
    });
  }

  /** Applies resources; what is wrong with them otherwise. Resolves when the listeners are bound. */
  async apply(resources: { listeners: readonly object[]; clusters?: readonly object[] }): Promise<string[]> {
    const source = { file: 'test', value: { static_resources: resources }, locate: () => null };
    this.committed = Promise.withResolvers<void>();
    const config = readBootstrap(source);
    const problems = config.ok
      ? applyBootstrap(config.value, this.proxy.config, this.subscriber, source)
      : config.error;
    if (problems.length > 0) return problems.map(({ path, message }) => `${path}: ${message}`);
    await this.committed.promise;
    return [];
  }

  /** As `apply`, with nothing wrong. */
  async load(resources: { listeners: readonly object[]; clusters?: readonly object[] }): Promise<void> {
    assert.deepEqual(await this.apply(resources), []);
  }

  /** Takes a listener away. */
  remove(listener: string): void {
    this.proxy.config.remove(TypeUrl.listener, listener);
  }

  /** The port that a listener is bound to. */
  port(listener: string): number {
    return this.proxy.listeners.listeners.find(({ name }) => name === listener)!.port;
  }

  /** Sum of a counter's or gauge's series; 0 where there is none. */
  stat(name: string): number {
    const family = this.proxy.registry.collect().find((candidate) => candidate.name === name);
    if (family === undefined || family.type === 'histogram') return 0;
    return family.samples.reduce((sum, { value }) => sum + value, 0);
  }

  close(): Promise<void> {
    return this.proxy.close();
  }
}
