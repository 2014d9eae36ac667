/** Route configurations by name, made when a proxy asks for them and kept until the mesh changes. */
import { viewOf, type HostView, type MeshHost, type MeshModel, type PortRoutes } from '@heddle/model';
import { TypeUrl, type DeepPartial, type EncodedResource } from '@heddle/xds';
import type { VirtualHost } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { makeResource } from './make-resource.ts';
import { originalDestinationCluster, parseRoutesName, passthroughCluster } from './names.ts';
import {
  catchAll,
  domainsOf,
  encodeVirtualHost,
  opaquePort,
  routeConfiguration,
  unknownPort,
  virtualHost,
} from './routes.ts';
import { opaqueProtocol } from './tcp-link.ts';

/** More names than this have no use: proxies ask for one per namespace and one per dependency. */
const maxNames = 20_000;

/** Where requests go that are for nobody in the mesh. */
const allowAny = {
  'http-proxy': encodeVirtualHost(catchAll('allow_any', passthroughCluster)),
  intercepted: encodeVirtualHost(catchAll('allow_any', originalDestinationCluster)),
};

export class RouteResources {
  private model: MeshModel;
  /** What `get` has made since the last change. */
  private current = new Map<string, EncodedResource>();
  /** What was there before: content that comes out the same keeps its object. */
  private previous: ReadonlyMap<string, EncodedResource> = new Map();
  /** Encoded virtual hosts; views are immutable and shared between models, so these outlive a change elsewhere. */
  private readonly virtualHosts = new WeakMap<HostView, Map<string, Uint8Array>>();

  constructor(model: MeshModel) {
    this.model = model;
  }

  setModel(model: MeshModel): void {
    this.model = model;
    this.previous = new Map([...this.previous, ...this.current]);
    if (this.previous.size > maxNames) this.previous = new Map();
    this.current = new Map();
  }

  /** Undefined for names that are none of ours. */
  get(name: string): EncodedResource | undefined {
    const known = this.current.get(name);
    if (known !== undefined) return known;
    const message = this.compile(name);
    if (message === undefined) return undefined;
    const resource = makeResource(TypeUrl.routeConfiguration, name, message, [this.previous.get(name)]);
    if (this.current.size >= maxNames) this.current.clear();
    this.current.set(name, resource);
    return resource;
  }

  private compile(name: string): Uint8Array | undefined {
    const parsed = parseRoutesName(name);
    if (parsed === undefined) return undefined;
    const { namespace } = parsed;
    if (parsed.kind !== 'upstream')
      return routeConfiguration(name, [...this.allHosts(namespace), allowAny[parsed.kind]]);
    const host = this.model.hosts.get(parsed.host);
    const view = host === undefined ? undefined : viewOf(host, namespace);
    const routes = view?.ports.find(({ port }) => port === parsed.port);
    const only =
      routes === undefined ? unknownPort(parsed.host, parsed.port) : portHost(parsed.host, routes, ['*']);
    return routeConfiguration(name, [encodeVirtualHost(only)]);
  }

  /** All hosts, services first, each authority once. */
  private allHosts(namespace: string): Uint8Array[] {
    const hosts = [...this.model.hosts.values()].sort(
      (a, b) => Number(a.service === null) - Number(b.service === null) || (a.host < b.host ? -1 : 1),
    );
    const taken = new Set(['*']);
    return hosts.flatMap((host) => this.hostForProxy(host, namespace, taken));
  }

  private hostForProxy(host: MeshHost, namespace: string, taken: Set<string>): Uint8Array[] {
    const view = viewOf(host, namespace);
    return view.ports.flatMap((routes) => {
      const all = domainsOf(host, routes.port, namespace);
      // Proxies refuse a configuration in which an authority stands twice.
      const domains = all.filter((domain) => !taken.has(domain));
      for (const domain of domains) taken.add(domain);
      if (domains.length === 0) return [];
      return [
        this.encodedHost(view, `${routes.port} ${domains.join()}`, () =>
          portHost(host.host, routes, domains),
        ),
      ];
    });
  }

  private encodedHost(
    view: HostView,
    key: string,
    make: () => Parameters<typeof encodeVirtualHost>[0],
  ): Uint8Array {
    let byKey = this.virtualHosts.get(view);
    if (byKey === undefined) {
      byKey = new Map();
      this.virtualHosts.set(view, byKey);
    }
    let encoded = byKey.get(key);
    if (encoded === undefined) {
      encoded = encodeVirtualHost(make());
      byKey.set(key, encoded);
    }
    return encoded;
  }
}

/** The virtual host of one port. */
function portHost(host: string, routes: PortRoutes, domains: readonly string[]): DeepPartial<VirtualHost> {
  return routes.protocol === opaqueProtocol
    ? opaquePort(host, routes.port, domains)
    : virtualHost(host, routes, domains);
}
