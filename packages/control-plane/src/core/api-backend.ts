/** Answers the API's questions from the control plane. */
import { ok, type Clock } from '@heddle/base';
import type { JoinTokenRecord, JoinTokens } from '@heddle/ca';
import { findKind, GatewayWorld, type KindInfo } from '@heddle/model';
import type { StreamStatus } from '@heddle/xds';
import type { ApiBackend } from '../api/backend.ts';
import type {
  CertificateSummary,
  EndpointSummary,
  NamedObject,
  ProxySummary,
  ProxyTypeStatus,
  ServiceSummary,
  StatusResponse,
  TokenRequest,
  TokenResponse,
  TokenSummary,
  XdsTypeName,
} from '../api/types.ts';
import { describeDiff } from '../preview/describe-diff.ts';
import { requireWithin } from '../config/configuration.ts';
import { readSidecarNode } from '../compile/node-metadata.ts';
import { describeCommit, describeCommitInFull } from '../config/history.ts';
import type { LeasedInstance } from '../instances/lease-manager.ts';
import type { CertificateIssuer } from '../rpc/certificate-service.ts';
import type { ObjectKey } from '../store/config-store.ts';
import type { ControlPlane } from './control-plane.ts';
import { describeAnalysis } from './describe-analysis.ts';
import { ObjectStatuses } from './object-status.ts';
import { xdsTypeName } from './xds-type-name.ts';

/** A certificate that was issued, as the certificate authority logs it. */
export interface IssuedRecord {
  readonly identity: string;
  readonly kind: 'root' | 'control-plane' | 'workload';
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface BackendOptions {
  readonly controlPlane: ControlPlane;
  readonly clock: Clock;
  readonly version: string;
  readonly issuer: CertificateIssuer;
  /** Addresses in force. */
  readonly addresses: () => Pick<StatusResponse, 'apiAddress' | 'xdsAddress' | 'joinAddress'>;
  /** Certificates that have not expired, oldest first. */
  readonly issued: () => Promise<readonly IssuedRecord[]>;
  readonly createJoinToken: (request: TokenRequest) => Promise<TokenResponse>;
  readonly joinTokens: Pick<JoinTokens, 'list' | 'revoke'>;
}

export function createBackend(options: BackendOptions): ApiBackend {
  const { controlPlane, clock } = options;
  const { leases, services, traffic, configuration, mirror } = controlPlane;
  const startedAt = clock.now();
  const statuses = (): ObjectStatuses =>
    new ObjectStatuses(
      controlPlane.model,
      controlPlane.policies,
      configuration.findings(),
      controlPlane.ads.status(),
      (...of) => controlPlane.withheld(...of),
      once(() => {
        const known = [...services.services().values()].map(({ namespace, name }) => `${namespace}/${name}`);
        return new GatewayWorld(
          mirror.list().map(({ object }) => object),
          known,
        );
      }),
    );
  return {
    status: () => ({
      version: options.version,
      startedAt,
      trustDomain: options.issuer.trustDomain,
      revision: mirror.revision,
      ...options.addresses(),
      proxies: controlPlane.ads.status().length,
      instances: leases.size,
    }),
    services: () => ({ services: describeServices(controlPlane) }),
    endpoints: (namespace) => ({
      endpoints: leases
        .list()
        .filter(({ instance }) => namespace === undefined || instance.namespace === namespace)
        .map((lease) => describeEndpoint(lease, services.identityOf(lease.instance))),
    }),
    proxies: () => ({ proxies: describeProxies(controlPlane.ads.status()) }),
    certificates: async () => ({
      certificates: describeCertificates(await options.issued(), controlPlane.ads.status()),
    }),
    traffic: (seconds) => traffic.history(seconds),
    latestTraffic: () => traffic.latest(),
    apply: (request, author) => configuration.apply(request, author.subject, author.namespace),
    delete: (request, author) => configuration.delete(request, author.subject, author.namespace),
    diff: async (request, { namespace }) => {
      const plan = configuration.plan(request);
      if (!plan.ok) return plan;
      requireWithin(
        namespace,
        plan.value.map(({ key }) => key),
      );
      return ok(await describeDiff(controlPlane, plan.value));
    },
    history: async (limit, object) => {
      const key = object === undefined ? undefined : keyOfNamed(object);
      if (object !== undefined && key === undefined) return undefined;
      const commits = await configuration.history({ limit, ...(key === undefined ? {} : { key }) });
      return { entries: commits.map(describeCommit) };
    },
    historyOf: async (revision) => {
      const commit = await configuration.commitOf(revision);
      return commit === undefined ? undefined : describeCommitInFull(commit);
    },
    rollback: async ({ object, ...request }, author) => {
      const key = object === undefined ? undefined : keyOfNamed(object);
      if (object !== undefined && key === undefined) return null;
      return await configuration.rollback(
        { ...request, ...(key === undefined ? {} : { key }) },
        author.subject,
      );
    },
    analysis: (namespace) => {
      const objects = mirror
        .list()
        .map(({ object }) => object)
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      return describeAnalysis(objects, configuration.findings());
    },
    resources: (plural, namespace) => {
      const info = findStoredKind(plural);
      if (info === undefined) return undefined;
      const present = statuses();
      const items = mirror
        .list()
        .filter(({ object }) => object.kind === info.kind && object.apiVersion === info.storageApiVersion)
        .filter(({ object }) => namespace === undefined || object.metadata.namespace === namespace)
        .map((object) => present.describe(object));
      return { items };
    },
    resource: (plural, namespace, name) => {
      const info = findStoredKind(plural);
      if (info === undefined) return undefined;
      const { group, kind } = info;
      const found = mirror.get({ group, kind, namespace, name });
      return found === undefined ? undefined : statuses().describe(found);
    },
    createJoinToken: options.createJoinToken,
    joinTokens: async () => (await options.joinTokens.list()).map(describeJoinToken),
    revokeJoinToken: (id) => options.joinTokens.revoke(id),
    metrics: () => {
      const objects = mirror.list();
      return controlPlane.metrics.format({
        proxies: controlPlane.ads.status().length,
        instances: leases.size,
        services: services.services().size,
        virtualServices: objects.filter(({ object }) => object.kind === 'VirtualService').length,
        destinationRules: objects.filter(({ object }) => object.kind === 'DestinationRule').length,
        rootExpiresInSeconds: Math.round((options.issuer.rootNotAfterMs - clock.now()) / 1000),
      });
    },
  };
}

/** What `make` makes, made when it is asked for first. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** A kind of which there can be objects. */
function findStoredKind(name: string): KindInfo | undefined {
  const info = findKind(name);
  return info?.isStored === true ? info : undefined;
}

function keyOfNamed({ kind, namespace, name }: NamedObject): ObjectKey | undefined {
  const info = findStoredKind(kind);
  return info === undefined ? undefined : { group: info.group, kind: info.kind, namespace, name };
}

function describeEndpoint(
  { instance, state, leaseExpiresAt }: LeasedInstance,
  identity: string,
): EndpointSummary {
  const { serviceAccount: _account, takesTunnels: _tunnels, publishedAt, ...rest } = instance;
  const version = instance.labels['version'] ?? '';
  return { ...rest, version, identity, state, since: publishedAt, leaseExpiresAt };
}

function describeJoinToken(record: JoinTokenRecord): TokenSummary {
  const { id, createdAtMs: createdAt, expiresAtMs: expiresAt, usesLeft, namespace, serviceAccount } = record;
  const unknown = { subject: null, role: null, lastUsedAt: null };
  return { id, kind: 'join', ...unknown, namespace, createdAt, expiresAt, usesLeft, serviceAccount };
}

/** Those that run, and those that objects declare. */
function describeServices({ model, services, traffic }: ControlPlane): ServiceSummary[] {
  return [...model.services.values()]
    .sort((a, b) =>
      a.namespace === b.namespace ? compare(a.name, b.name) : compare(a.namespace, b.namespace),
    )
    .map(({ name, namespace, host, ports }) => {
      const instances = services.members(host)?.instances ?? [];
      const declared = model.hosts.get(host)?.shared.declared?.endpoints ?? [];
      const versions = new Set([...instances, ...declared].map(({ labels }) => labels['version'] ?? ''));
      return {
        name,
        namespace,
        host,
        ports,
        instances: instances.length + declared.length,
        versions: [...versions].filter((version) => version !== '').sort(),
        traffic: traffic.summary(namespace, name),
      };
    });
}

function describeProxies(streams: readonly StreamStatus[]): ProxySummary[] {
  return streams
    .map(({ node, peer, connectedAt, types, rejected }): ProxySummary => {
      const sidecar = readSidecarNode(node);
      const { instance, namespace, service, labels } = sidecar.ok
        ? sidecar.value
        : { instance: '', namespace: '', service: '', labels: {} as Record<string, string> };
      return {
        id: node.id,
        instance,
        namespace,
        service,
        version: labels['version'] ?? '',
        identity: peer.identity,
        remoteAddress: peer.remoteAddress,
        connectedAt,
        certificateNotAfter: peer.certificateNotAfter,
        types: describeTypes(types),
        rejected: rejected.flatMap(({ typeUrl, name, reason, at }) => {
          const type = xdsTypeName(typeUrl);
          return type === undefined ? [] : [{ type, name, reason, at }];
        }),
      };
    })
    .sort((a, b) => compare(a.id, b.id));
}

function describeTypes(types: StreamStatus['types']): Partial<Record<XdsTypeName, ProxyTypeStatus>> {
  const described: Partial<Record<XdsTypeName, ProxyTypeStatus>> = {};
  for (const [typeUrl, status] of types) {
    const name = xdsTypeName(typeUrl);
    if (name !== undefined) described[name] = status;
  }
  return described;
}

/**
 * The root, the control plane's newest certificate, and of each workload what its connected instances show, or else the
 * newest: older ones are good until they expire, but nobody uses them any more.
 */
function describeCertificates(
  records: readonly IssuedRecord[],
  streams: readonly StreamStatus[],
): CertificateSummary[] {
  const instances = new Map<string, string[]>();
  for (const { node, peer } of streams) {
    const sidecar = readSidecarNode(node);
    if (!sidecar.ok) continue;
    const key = certificateKey(peer.identity, peer.certificateNotAfter);
    instances.set(key, [...(instances.get(key) ?? []), sidecar.value.instance]);
  }
  const newest = new Map(records.map((record) => [record.identity, record]));
  return records.flatMap((record) => {
    const instance = instances.get(certificateKey(record.identity, record.notAfterMs))?.shift();
    if (instance === undefined && newest.get(record.identity) !== record) return [];
    return [describeCertificate(record, instance)];
  });
}

function describeCertificate(record: IssuedRecord, instance: string | undefined): CertificateSummary {
  const { identity, kind, serial, notBeforeMs: notBefore, notAfterMs: notAfter } = record;
  const known = instance === undefined ? {} : { instance };
  return { identity, kind, ...known, serial, notBefore, notAfter };
}

/**
 * A connection says until when its certificate is good, not its serial number: of several certificates of one identity
 * that end in the same second, each is shown with one of the instances.
 */
function certificateKey(identity: string, notAfterMs: number): string {
  return `${identity} ${Math.floor(notAfterMs / 1000)}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
