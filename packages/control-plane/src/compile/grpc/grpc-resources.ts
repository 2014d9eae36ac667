/** What clients get that are gRPC libraries: made of what all others get, once for all of them. */
import { invariant } from '@heddle/base';
import type { MeshHost, MeshModel } from '@heddle/model';
import { type DeepPartial, type EncodedResource, TypeUrl } from '@heddle/xds';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { makeResource } from '../make-resource.ts';
import type { Bind, SidecarNode } from '../node-metadata.ts';
import type { InboundSecurity } from '../own-listeners.ts';
import { type Translated, grpcCluster } from './clusters.ts';
import { grpcEndpoints } from './endpoints.ts';
import { resolveTarget, serverAddress, serverListener, targetListener, targetsOf } from './listeners.ts';
import { grpcRoutes } from './routes.ts';

/** What others get under a type and a name. */
export type OriginalResources = (typeUrl: string, name: string) => EncodedResource | undefined;

/** Servers have few names, those of the addresses that they listen on. */
const maxServerNames = 10_000;

interface Known {
  readonly resource: EncodedResource | undefined;
  readonly withheld: readonly string[];
}

export class GrpcResources {
  /** By what it was made of, which is the same object as long as it is the same. */
  private readonly translated = new WeakMap<EncodedResource, Known>();
  /** By name and namespace. */
  private readonly listeners = new Map<string, EncodedResource>();
  private readonly servers = new Set<string>();
  private readonly security: InboundSecurity;
  private isUsed = false;

  constructor(security: InboundSecurity) {
    this.security = security;
  }

  /** Names of the listeners of servers that have asked: a change of policies may change them. */
  get serverListeners(): Iterable<string> {
    return this.servers;
  }

  /** Names of the listeners by which clients may know a host; none as long as there are no clients. */
  listenersFor(host: MeshHost | undefined): string[] {
    return this.isUsed ? targetsOf(host) : [];
  }

  get(
    node: SidecarNode,
    typeUrl: string,
    name: string,
    model: MeshModel,
    originals: OriginalResources,
  ): EncodedResource | undefined {
    this.isUsed = true;
    if (typeUrl === TypeUrl.listener) return this.listener(node, name, model);
    const original = originals(typeUrl, name);
    return original === undefined ? undefined : this.translate(typeUrl, original).resource;
  }

  /** What of this resource gRPC's clients do without, each for a sentence. */
  withheld(typeUrl: string, original: EncodedResource | undefined): readonly string[] {
    return original === undefined ? [] : this.translate(typeUrl, original).withheld;
  }

  private listener(node: SidecarNode, name: string, model: MeshModel): EncodedResource | undefined {
    const address = serverAddress(name);
    if (address !== null) return this.server(node, name, address);
    const target = resolveTarget(model, name, node.namespace);
    if (target === null) return undefined;
    const message = targetListener(name, target, node.namespace);
    const key = `${node.namespace} ${name}`;
    const resource = makeResource(TypeUrl.listener, name, message, [this.listeners.get(key)]);
    this.listeners.set(key, resource);
    return resource;
  }

  private server(node: SidecarNode, name: string, bind: Bind): EncodedResource | undefined {
    if (this.servers.size < maxServerNames) this.servers.add(name);
    const { policies, filters } = this.security;
    const { requests } = filters.make(policies.policiesFor(node), node);
    // What it can't enforce keeps everybody out: a server without its listener serves nobody.
    if (!requests.every(isRbac)) return undefined;
    return makeResource(TypeUrl.listener, name, serverListener(name, bind, requests));
  }

  private translate(typeUrl: string, original: EncodedResource): Known {
    let known = this.translated.get(original);
    if (known === undefined) {
      const { message, withheld } = translate(typeUrl, contentOf(original));
      const resource =
        message === null ? undefined : makeResource(knownType(typeUrl), original.name, message);
      known = { resource, withheld };
      this.translated.set(original, known);
    }
    return known;
  }
}

function isRbac({ configType }: DeepPartial<HttpFilter>): boolean {
  return configType?.$case === 'typedConfig' && configType.value?.typeUrl === TypeUrl.httpRbac;
}

function contentOf({ bytes }: EncodedResource): Uint8Array {
  const { resource } = Resource.decode(bytes);
  invariant(resource !== undefined, 'a resource has content');
  return resource.value;
}

function translate(typeUrl: string, message: Uint8Array): Translated {
  if (typeUrl === TypeUrl.cluster) return grpcCluster(message);
  if (typeUrl === TypeUrl.routeConfiguration) return grpcRoutes(message);
  if (typeUrl === TypeUrl.clusterLoadAssignment) return { message: grpcEndpoints(message), withheld: [] };
  // Secrets come from files.
  return { message: null, withheld: [] };
}

function knownType(typeUrl: string): TypeUrl {
  return typeUrl as TypeUrl;
}
