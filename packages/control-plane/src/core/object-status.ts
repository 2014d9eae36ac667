/** What has become of an object: warnings, and how many proxies use it as it is now. */
import {
  findingToProblem,
  formatKey,
  viewOf,
  type Finding,
  type MeshModel,
  type ObjectKey,
} from '@heddle/model';
import { TypeUrl, type StreamStatus } from '@heddle/xds';
import type { ObjectStatus, ObjectWithStatus } from '../api/types.ts';
import { readSidecarNode, type SidecarNode } from '../compile/node-metadata.ts';
import type { MirroredObject } from '../config/config-mirror.ts';

/** A connected proxy and what it says of itself. */
interface ConnectedProxy {
  readonly node: SidecarNode;
  readonly status: StreamStatus;
}

/** Everything that statuses of a moment have in common. */
export class ObjectStatuses {
  private readonly model: MeshModel;
  private readonly findings: ReadonlyMap<string, readonly Finding[]>;
  private readonly proxies: readonly ConnectedProxy[];

  constructor(
    model: MeshModel,
    findings: ReadonlyMap<string, readonly Finding[]>,
    streams: readonly StreamStatus[],
  ) {
    this.model = model;
    this.findings = findings;
    this.proxies = streams.flatMap((status) => {
      const node = readSidecarNode(status.node);
      return node.ok ? [{ node: node.value, status }] : [];
    });
  }

  /** The object in the form its kind has in YAML. */
  describe({ object, stored }: MirroredObject): ObjectWithStatus {
    const { name, namespace, labels, annotations } = object.metadata;
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
      spec: object.spec,
      status: this.statusOf({ kind: object.kind, namespace, name }),
    };
  }

  private statusOf(key: ObjectKey): ObjectStatus {
    const warnings = (this.findings.get(formatKey(key)) ?? []).map((finding) =>
      findingToProblem(finding, 'warning'),
    );
    const concerned = this.proxies.filter(({ node }) => this.uses(node, key));
    // A rule for destinations shows in clusters and endpoints, one for requests in routes.
    const typeUrls =
      key.kind === 'DestinationRule'
        ? [TypeUrl.cluster, TypeUrl.clusterLoadAssignment]
        : [TypeUrl.routeConfiguration];
    const acknowledged = concerned.filter(({ status }) =>
      typeUrls.every((typeUrl) => status.types.get(typeUrl)?.synced === true),
    );
    return {
      accepted: true,
      warnings,
      proxies: { acknowledged: acknowledged.length, total: concerned.length },
    };
  }

  /** Whether the object decides anything in what this proxy is sent. */
  private uses(node: SidecarNode, key: ObjectKey): boolean {
    const text = formatKey(key);
    for (const host of this.model.hosts.values()) {
      const { virtualService, destinationRules } = viewOf(host, node.namespace);
      if (key.kind === 'DestinationRule') {
        if (destinationRules.some((rule) => formatKey(rule) === text)) return true;
      } else if (virtualService !== null && formatKey(virtualService) === text && asksFor(node, host.host)) {
        return true;
      }
    }
    return false;
  }
}

/** Whether a proxy has routes of a host: its proxy listener has those of all. */
function asksFor({ outboundProxy, upstreams }: SidecarNode, host: string): boolean {
  return outboundProxy !== null || upstreams.some((upstream) => upstream.host === host);
}
