/** Route configurations by name, made when a proxy asks for them and kept until the mesh changes. */
import { viewOf, type HostView, type MeshHost, type MeshModel, type PortRoutes } from '@heddle/model';
import { TypeUrl, type EncodedResource } from '@heddle/xds';
import { addressDomains } from './declared-addresses.ts';
import { byAuthority, dependencyHost, isByCaller } from './declared-routes.ts';
import { makeResource } from './make-resource.ts';
import { originalDestinationCluster, parseRoutesName, passthroughCluster } from './names.ts';
import {
  catchAll,
  domainsOf,
  encodeVirtualHost,
  portHost,
  routeConfiguration,
  unknownPort,
} from './routes.ts';

/** More names than this have no use: proxies ask for one per namespace and one per dependency. */
const maxNames = 20_000;

/** Where requests go that are for nobody in the mesh. */
const allowAny = {
  'http-proxy': encodeVirtualHost(catchAll('allow_any', passthroughCluster)),
  intercepted: encodeVirtualHost(catchAll('allow_any', originalDestinationCluster)),
};

/** A port's virtual host with all names that the port has. */
interface EncodedPort {
  readonly routes: PortRoutes;
  readonly domains: readonly string[];
  readonly bytes: Uint8Array;
}

export class RouteResources {
  private model: MeshModel;
  /** What `get` has made since the last change. */
  private current = new Map<string, EncodedResource>();
  /** What was there before: content that comes out the same keeps its object. */
  private previous: ReadonlyMap<string, EncodedResource> = new Map();
  /** The model's hosts in the order of routes; made when somebody asks. */
  private hosts: readonly MeshHost[] | null = null;
  /** Views are immutable and shared between models, so what is encoded outlives a change elsewhere. */
  private readonly encoded = new WeakMap<HostView, { home?: EncodedPort[]; abroad?: EncodedPort[] }>();

  constructor(model: MeshModel) {
    this.model = model;
  }

  setModel(model: MeshModel): void {
    this.model = model;
    this.hosts = null;
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
      return routeConfiguration(name, [...this.allHosts(namespace, parsed.kind), allowAny[parsed.kind]]);
    const host = this.model.hosts.get(parsed.host);
    const view = host === undefined ? undefined : viewOf(host, namespace);
    const routes = view?.ports.find(({ port }) => port === parsed.port);
    const only =
      view === undefined || routes === undefined
        ? unknownPort(parsed.host, parsed.port)
        : dependencyHost(parsed.host, view, routes);
    return routeConfiguration(name, [encodeVirtualHost(only)]);
  }

  /** All hosts, services first, each authority once: proxies refuse a configuration in which one stands twice. */
  private allHosts(namespace: string, kind: 'http-proxy' | 'intercepted'): Uint8Array[] {
    this.hosts ??= [...this.model.hosts.values()].sort(
      (a, b) => Number(a.service === null) - Number(b.service === null) || (a.host < b.host ? -1 : 1),
    );
    const taken = new Set(['*']);
    const pieces: Uint8Array[] = [];
    for (const host of this.hosts) {
      for (const port of this.encodedPorts(host, namespace)) {
        const free = port.domains.filter((domain) => !taken.has(domain));
        for (const domain of free) taken.add(domain);
        if (kind === 'http-proxy' && isByCaller(viewOf(host, namespace)))
          pieces.push(encodeVirtualHost(byAuthority(portHost(host.host, port.routes, free))));
        else if (free.length === port.domains.length) pieces.push(port.bytes);
        else if (free.length > 0) pieces.push(encodeVirtualHost(portHost(host.host, port.routes, free)));
      }
    }
    return pieces;
  }

  /** What clients of a namespace are sent for a host: the same for all but those of the host's own, who have a shorter name for it. */
  private encodedPorts(host: MeshHost, namespace: string): readonly EncodedPort[] {
    const view = viewOf(host, namespace);
    let known = this.encoded.get(view);
    if (known === undefined) {
      known = {};
      this.encoded.set(view, known);
    }
    const place = host.service?.namespace === namespace ? 'home' : 'abroad';
    return (known[place] ??= view.ports.map((routes) => {
      const domains = [...domainsOf(host, routes.port, namespace), ...addressDomains(view, routes.port)];
      return { routes, domains, bytes: encodeVirtualHost(portHost(host.host, routes, domains)) };
    }));
  }
}
