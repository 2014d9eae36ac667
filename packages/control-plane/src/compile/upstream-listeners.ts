/** A sidecar's listeners for its dependencies. What they do depends on what the mesh knows of the dependency's port. */
import { clusterName, type MeshHost, type MeshModel, viewOf } from '@heddle/model';
import { type DeepPartial, encodeMessage, packAny, TypeUrl, type EncodedResource } from '@heddle/xds';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { detectionTimeout, listenerFilter, plainHttp } from './interception-listeners.ts';
import { outboundListener } from './listeners.ts';
import { makeResource } from './make-resource.ts';
import { upstreamListenerName, upstreamRoutesName } from './names.ts';
import type { SidecarNode, UpstreamBind } from './node-metadata.ts';
import type { ScopeView } from './scope-view.ts';
import { isOpaque, tcpProxy } from './tcp-link.ts';

interface Made {
  readonly kind: UpstreamKind;
  readonly resource: EncodedResource;
}

/** Those of one sidecar, by name. */
export class UpstreamListeners {
  private readonly node: SidecarNode;
  private readonly dependencies: ReadonlyMap<string, UpstreamBind>;
  private readonly made = new Map<string, Made>();

  constructor(node: SidecarNode) {
    this.node = node;
    this.dependencies = new Map(
      node.upstreams.map((upstream) => [upstreamListenerName(upstream.host, upstream.port), upstream]),
    );
  }

  get names(): Iterable<string> {
    return this.dependencies.keys();
  }

  /** Undefined for a listener that is none of them. */
  get(name: string, model: MeshModel, view: ScopeView): EncodedResource | undefined {
    const upstream = this.dependencies.get(name);
    if (upstream === undefined) return undefined;
    const host = view.names(upstream.host) ? model.hosts.get(upstream.host) : undefined;
    const kind = kindOf(upstream, host, this.node.namespace);
    const known = this.made.get(name);
    if (known?.kind === kind) return known.resource;
    const message = compileUpstreamListener(this.node, upstream, kind);
    const resource = makeResource(TypeUrl.listener, name, message);
    this.made.set(name, { kind, resource });
    return resource;
  }
}

/** The listeners that sidecars may have for a host, whatever their namespace. */
export function listenersFor(host: MeshHost | undefined): string[] {
  if (host === undefined) return [];
  const views = [host.shared, ...host.views.values()];
  return views.flatMap((view) => view.ports.map(({ port }) => upstreamListenerName(host.host, port)));
}

function kindOf({ port }: UpstreamBind, host: MeshHost | undefined, namespace: string): UpstreamKind {
  const ports = host === undefined ? [] : viewOf(host, namespace).ports;
  const protocol = ports.find((known) => known.port === port)?.protocol;
  if (protocol === undefined) return 'unknown';
  return isOpaque(protocol) ? 'tcp' : 'http';
}

/** What the mesh says of a dependency's port: HTTP of some kind, TCP, or nothing yet. */
type UpstreamKind = 'http' | 'tcp' | 'unknown';

/** The encoded listener of one dependency. */
function compileUpstreamListener(
  node: SidecarNode,
  { host, port, bind }: UpstreamBind,
  kind: UpstreamKind,
): Uint8Array {
  const name = upstreamListenerName(host, port);
  const http = outboundListener(node, name, bind, upstreamRoutesName(host, port, node.namespace));
  if (kind === 'http') return encodeMessage(TypeUrl.listener, http);
  const tunnelTo = node.hasTunnels ? `${host}:${port}` : null;
  const opaque = { name: 'tcp', filters: [tcpProxy(node, name, clusterName(port, '', host), tunnelTo)] };
  const listener = kind === 'tcp' ? { ...http, filterChains: [opaque] } : detecting(http, opaque);
  return encodeMessage(TypeUrl.listener, listener);
}

/** Until it is known, HTTP is answered with 503, and other connections are closed at once, as where nobody listens. */
function detecting(http: DeepPartial<Listener>, opaque: DeepPartial<FilterChain>): DeepPartial<Listener> {
  const filters = http.filterChains?.[0]?.filters;
  return {
    ...http,
    listenerFilters: [listenerFilter('http_inspector', packAny(TypeUrl.httpInspector, {}))],
    listenerFiltersTimeout: detectionTimeout,
    continueOnListenerFiltersTimeout: true,
    filterChains: [{ name: 'http', filterChainMatch: plainHttp, filters: filters ?? [] }],
    defaultFilterChain: opaque,
  };
}
