import { isIP } from 'node:net';
import { err, ok, type Problem, type Result } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import { Bootstrap } from '@heddle/xds/api/envoy/config/bootstrap/v3/bootstrap.ts';
import type { Address } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import { Secret } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { bootstrapFromJson } from '@heddle/xds/json';
import { hostPort } from '../cluster/endpoint.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { ClusterCheck } from '../routing/compile-route-table.ts';
import { compileAddress } from '../config/compile-address.ts';
import { compileStaticSecrets } from '../config/compile-static-secrets.ts';
import type { ConfigStore } from '../config/config-store.ts';
import { addressBytes } from '../transport/ip-address.ts';
import type { TransportAddress } from '../transport/transport.ts';
import { withoutEmptyParts } from './accepted-parts.ts';
import type { ConnectionLimits } from '../listener/connection-admission.ts';
import { readConnectionLimits } from './connection-limits.ts';
import { readRuntime, type RuntimeLayer } from './runtime.ts';
import { fieldPath, ProblemList } from '../config/problem-list.ts';
import type { MaterialsRecord } from '../config/tls-materials.ts';
import type { Subscriber } from '../config/wanted-names.ts';
import { type ParsedFile, withPlace } from './problem-place.ts';

/** One resource of a bootstrap file. */
export interface StaticResource {
  readonly typeUrl: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where it stands, such as `static_resources.clusters[0]`. */
  readonly path: string;
}

/** A bootstrap file that has been read. */
export interface StaticConfig {
  /** Where the admin interface listens; null for nowhere. */
  readonly admin: TransportAddress | null;
  /** The whole file as a message. */
  readonly bootstrap: Uint8Array;
  /** What it says of this proxy, for the admin interface. */
  readonly node: Readonly<Record<string, unknown>>;
  /** What `layered_runtime` says, lowest layer first. */
  readonly runtime: readonly RuntimeLayer[];
  readonly limits: ConnectionLimits;
  /** What the file names, and its static secrets. */
  readonly materials: MaterialsRecord;
  /** Clusters before listeners. */
  readonly resources: readonly StaticResource[];
}

/**
 * Reads a file in Envoy's bootstrap format. Its resources are looked at when they are applied; everything else that isn't
 * done is refused here, with its place.
 */
export function readBootstrap(source: ParsedFile): Result<StaticConfig, Problem[]> {
  const bootstrap = bootstrapFromJson(withoutEmptyParts(source.value));
  if (!bootstrap.ok) return err(bootstrap.error.map((problem) => withPlace(problem, source)));
  const problems = new ProblemList();
  const config = readConfig(bootstrap.value, problems);
  return problems.isEmpty ? ok(config) : err(problems.problems.map((problem) => withPlace(problem, source)));
}

function readConfig(bootstrap: Bootstrap, problems: ProblemList): StaticConfig {
  const { admin, dynamicResources, staticResources } = bootstrap;
  if (dynamicResources !== undefined) problems.unsupported('dynamic_resources');
  if ((admin?.accessLog.length ?? 0) > 0) problems.unsupported('admin.access_log');
  const address = admin?.address;
  const listeners = staticResources?.listeners ?? [];
  if (listeners.length === 0) problems.invalid('static_resources.listeners', 'there is nothing to listen on');
  const resources: StaticResource[] = [];
  for (const [index, cluster] of (staticResources?.clusters ?? []).entries()) {
    const path = `static_resources.clusters[${index}]`;
    resources.push({
      typeUrl: TypeUrl.cluster,
      name: cluster.name,
      bytes: Cluster.encode(cluster).finish(),
      path,
    });
  }
  for (const [index, listener] of listeners.entries()) {
    const path = `static_resources.listeners[${index}]`;
    const name = nameOf(listener);
    resources.push({ typeUrl: TypeUrl.listener, name, bytes: Listener.encode(listener).finish(), path });
  }
  const runtime = readRuntime(bootstrap.layeredRuntime, problems);
  const limits = readConnectionLimits(bootstrap.overloadManager, runtime, problems);
  checkNames(resources, problems);
  checkAddresses(listeners, problems);
  return {
    admin: address === undefined ? null : compileAdminAddress(address, problems),
    bootstrap: Bootstrap.encode(bootstrap).finish(),
    runtime,
    limits,
    node: { id: bootstrap.node?.id ?? '', cluster: bootstrap.node?.cluster ?? '' },
    materials: {
      files: new Map(),
      secrets: (staticResources?.secrets ?? []).map((secret) => Secret.encode(secret).finish()),
    },
    resources,
  };
}

/** Where the admin interface listens: an IP address and port, or a Unix socket. */
function compileAdminAddress(address: Address, problems: ProblemList): TransportAddress | null {
  const specifier = address.address;
  if (specifier?.$case !== 'pipe') return compileAddress(address, 'admin.address', problems);
  const { path, mode } = specifier.value;
  if (!/^[/@]./.test(path)) problems.invalid('admin.address.pipe.path', 'must begin with / or @');
  // Readable and writable by its owner only where the file says nothing: there is no other lock.
  return path.startsWith('@') ? { path: `\0${path.slice(1)}` } : { path, mode: mode === 0 ? 0o600 : mode };
}

/** A listener without a name has that of its address. */
function nameOf(listener: Listener): string {
  if (listener.name !== '') return listener.name;
  const socket = listener.address?.address;
  if (socket?.$case !== 'socketAddress') return '';
  return hostPort(socket.value.address, socket.value.portSpecifier?.value ?? 0);
}

function checkNames(resources: readonly StaticResource[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const { typeUrl, name, path } of resources) {
    const key = `${typeUrl} ${name}`;
    if (seen.has(key)) problems.invalid(`${path}.name`, `there is another one with the name ${name}`);
    seen.add(key);
  }
}

/** Of two listeners on one address the second would find it taken. Those that bind nothing count too, as in Envoy. */
function checkAddresses(listeners: readonly Listener[], problems: ProblemList): void {
  const seen = new Map<string, string>();
  for (const [index, listener] of listeners.entries()) {
    const address = listenAddressOf(listener);
    if (address === null) continue;
    const earlier = seen.get(address);
    seen.set(address, earlier ?? nameOf(listener));
    if (earlier !== undefined) {
      problems.invalid(
        `static_resources.listeners[${index}].address`,
        `duplicate address: the listener ${earlier} has it already`,
      );
    }
  }
}

/** Protocol and address, in one spelling; null for a port that the system chooses, and for what is no address. */
function listenAddressOf({ address }: Listener): string | null {
  const specifier = address?.address;
  if (specifier === undefined) return null;
  if (specifier.$case === 'pipe') return specifier.value.path;
  const { address: host, portSpecifier, protocol } = specifier.value;
  const port = portSpecifier?.value ?? 0;
  return port === 0 || isIP(host) === 0 ? null : `${protocol} ${addressBytes(host).join('.')} ${port}`;
}

/** Stands in for an xDS client where there is none: notes what would have been asked for. */
export class NoSubscriber implements Subscriber {
  private readonly asked: string[] = [];

  subscribe(_typeUrl: string, names: Iterable<string>): void {
    this.asked.push(...names);
  }

  unsubscribe(): void {
    // Nothing was subscribed to.
  }

  /** What was asked for since the last call. */
  take(): readonly string[] {
    return this.asked.splice(0);
  }
}

/** Knows all clusters of a file. By a function of its own, because a closure keeps what those beside it use: the whole file. */
function clusterCheck(resources: readonly StaticResource[]): ClusterCheck {
  const clusters = new Set(
    resources.filter(({ typeUrl }) => typeUrl === TypeUrl.cluster).map(({ name }) => name),
  );
  return (name) => clusters.has(name);
}

/**
 * Applies a bootstrap file's resources to a store whose subscriber is `subscriber`. All problems with their places; where
 * there are any, the proxy is not to start.
 */
export function applyBootstrap<P extends EndpointPool>(
  config: StaticConfig,
  store: ConfigStore<P>,
  subscriber: NoSubscriber,
  source: ParsedFile,
): Problem[] {
  const problems = new ProblemList();
  store.materials.keepIn(config.materials);
  compileStaticSecrets(config.materials, store.materials, problems);
  store.routes.isCluster = clusterCheck(config.resources);
  for (const { typeUrl, name, bytes, path } of config.resources) {
    const found = store.applyResource(typeUrl, name, bytes);
    for (const problem of found) problems.addAll([{ ...problem, path: fieldPath(path, problem.path ?? '') }]);
    for (const wanted of subscriber.take()) {
      problems.unsupported(
        path,
        `getting ${wanted} by xDS`,
        'a bootstrap file has to hold everything itself',
      );
    }
  }
  if (problems.isEmpty) store.commit(TypeUrl.listener);
  return problems.problems.map((problem) => withPlace(problem, source));
}
