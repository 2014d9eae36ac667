/** What has become of an object: warnings, and how many proxies use it as it is now. */
import type { Problem } from '@heddle/base';
import {
  findingToProblem,
  formatKey,
  keyOf,
  toManifest,
  viewOf,
  warningsAbout,
  type Finding,
  type GatewayWorld,
  type MeshModel,
  type MeshObject,
  type ObjectKey,
  type PolicyIndex,
} from '@heddle/model';
import { TypeUrl, type StreamStatus } from '@heddle/xds';
import type { ObjectStatus, ObjectWithStatus } from '../api/types.ts';
import { readSidecarNode, type SidecarNode } from '../compile/node-metadata.ts';
import type { MirroredObject } from '../config/config-mirror.ts';
import { conditionsOf } from './object-conditions.ts';

/** A connected proxy and what it says of itself. */
interface ConnectedProxy {
  readonly node: SidecarNode;
  readonly status: StreamStatus;
}

/** What a client does without of what it is sent of a type for these hosts, each for a sentence. */
export type WithheldFrom = (node: SidecarNode, typeUrl: string, hosts: Iterable<string>) => readonly string[];

/** Everything that statuses of a moment have in common. */
export class ObjectStatuses {
  private readonly model: MeshModel;
  private readonly policies: PolicyIndex;
  private readonly findings: ReadonlyMap<string, readonly Finding[]>;
  private readonly proxies: readonly ConnectedProxy[];
  private readonly withheld: WithheldFrom;
  /** The objects of the Gateway API, for those that are about it. */
  private readonly world: () => GatewayWorld;
  private readonly byNamespace = new Map<string, Map<string, Set<string>>>();

  constructor(
    model: MeshModel,
    policies: PolicyIndex,
    findings: ReadonlyMap<string, readonly Finding[]>,
    streams: readonly StreamStatus[],
    withheld: WithheldFrom,
    world: () => GatewayWorld,
  ) {
    this.world = world;
    this.withheld = withheld;
    this.model = model;
    this.policies = policies;
    this.findings = findings;
    this.proxies = streams.flatMap((status) => {
      const node = readSidecarNode(status.node);
      return node.ok ? [{ node: node.value, status }] : [];
    });
  }

  /** The object in the form its kind has in YAML. */
  describe({ object, stored }: MirroredObject): ObjectWithStatus {
    const { name, namespace, labels, annotations } = object.metadata;
    const { apiVersion: _version, kind: _kind, metadata: _metadata, ...body } = toManifest(object);
    return {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        name,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        resourceVersion: String(stored.revision),
        generation: stored.generation,
        creationTimestamp: new Date(stored.createdAt).toISOString(),
      },
      ...(body as Pick<ObjectWithStatus, 'spec'>),
      status: this.statusOf(object, stored.generation),
    };
  }

  private statusOf(object: MeshObject, generation: number): ObjectStatus {
    const key = keyOf(object);
    const findings = this.findings.get(formatKey(key)) ?? [];
    const warnings = [
      ...warningsAbout(object),
      ...findings.map((finding) => findingToProblem(finding, 'warning')),
    ];
    const concerned = this.proxies.filter(({ node }) => this.uses(node, key));
    warnings.push(...this.withheldWarnings(key, concerned));
    const typeUrls = typesWith(key);
    const acknowledged = concerned.filter(({ status }) =>
      typeUrls.every(
        // Virtual hosts by themselves are not for every proxy.
        (typeUrl) => status.types.get(typeUrl)?.synced ?? typeUrl === TypeUrl.virtualHost,
      ),
    );
    const proxies = { acknowledged: acknowledged.length, total: concerned.length };
    return {
      accepted: true,
      observedGeneration: generation,
      ...conditionsOf(object, { generation, findings, proxies, world: this.world }),
      warnings,
      proxies,
    };
  }

  /** What clients that are no sidecars understand nothing of. */
  private withheldWarnings(key: ObjectKey, concerned: readonly ConnectedProxy[]): Problem[] {
    const what = new Set<string>();
    const seen = new Set<string>();
    for (const { node } of concerned) {
      const role = `${node.client} ${node.namespace} ${JSON.stringify(node.labels)}`;
      if (node.client === 'heddle' || seen.has(role)) continue;
      seen.add(role);
      const hosts = this.hostsByObject(node.namespace).get(formatKey(key)) ?? [];
      for (const typeUrl of typesWith(key))
        for (const one of this.withheld(node, typeUrl, hosts)) what.add(one);
    }
    if (what.size === 0) return [];
    const message = `gRPC's own clients do without ${[...what].sort().join(', ')}.`;
    return [{ code: 'HEDDLE_WITHHELD', severity: 'warning', message }];
  }

  /** Whether the object decides anything in what this proxy is sent. */
  private uses(node: SidecarNode, key: ObjectKey): boolean {
    if (isPolicy(key)) {
      const { authorization, peer, request } = this.policies.policiesFor(node);
      const own = [...authorization, ...peer, ...request].map((policy) => formatKey(keyOf(policy)));
      return own.includes(formatKey(key));
    }
    const hosts = this.hostsByObject(node.namespace).get(formatKey(key));
    if (hosts === undefined) return false;
    // Clusters are sent for all hosts, routes for those that are asked for: by the proxy listener all.
    if (key.kind === 'DestinationRule' || node.outboundProxy !== null) return true;
    return node.upstreams.some(({ host }) => hosts.has(host));
  }

  /** For clients of a namespace: the hosts for which an object decides something, by its key. */
  private hostsByObject(namespace: string): ReadonlyMap<string, ReadonlySet<string>> {
    let hosts = this.byNamespace.get(namespace);
    if (hosts !== undefined) return hosts;
    hosts = new Map();
    for (const host of this.model.hosts.values()) {
      const { virtualService, destinationRules, gatewayRoutes = [] } = viewOf(host, namespace);
      const rules = virtualService === null ? gatewayRoutes : [virtualService];
      for (const key of [...rules, ...destinationRules]) {
        const text = formatKey(key);
        const found = hosts.get(text);
        if (found === undefined) hosts.set(text, new Set([host.host]));
        else found.add(host.host);
      }
    }
    this.byNamespace.set(namespace, hosts);
    return hosts;
  }
}

function isPolicy({ group }: ObjectKey): boolean {
  return group === 'security.istio.io';
}

/** A rule for destinations shows in clusters and endpoints, one for requests in routes, a policy where requests come in. */
function typesWith(key: ObjectKey): TypeUrl[] {
  if (isPolicy(key)) return [TypeUrl.listener];
  return key.kind === 'DestinationRule'
    ? [TypeUrl.cluster, TypeUrl.clusterLoadAssignment]
    : [TypeUrl.routeConfiguration, TypeUrl.virtualHost];
}
