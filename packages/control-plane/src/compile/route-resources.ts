/** Route configurations by name, made when a proxy asks for them and kept until the mesh changes. */
import {
  defaultRule,
  viewOf,
  type HostView,
  type MeshHost,
  type MeshModel,
  type PortRoutes,
  type RouteRule,
} from '@heddle/model';
import { collectionOf, TypeUrl, type EncodedResource } from '@heddle/xds';
import { addressDomains } from './declared-addresses.ts';
import { byAuthority, dependencyHost, isByCaller } from './declared-routes.ts';
import { makeResource } from './make-resource.ts';
import type { ScopeView } from './scope-view.ts';
import { originalDestinationCluster, parseRoutesName, passthroughCluster } from './names.ts';
import {
  anywhere,
  blockAll,
  catchAll,
  domainsOf,
  encodeVirtualHost,
  portHost,
  routeConfiguration,
  routeConfigurationByVhds,
  unknownPort,
} from './routes.ts';
import { VirtualHostResources, type VirtualHostPiece } from './virtual-host-resources.ts';

/** More names than this have no use: proxies ask for one per namespace and one per dependency. */
const maxNames = 20_000;

/** What becomes of requests that are for nobody in the mesh. */
const allowAny = {
  'http-proxy': { name: 'allow_any', bytes: encodeVirtualHost(anywhere('allow_any', passthroughCluster)) },
  intercepted: {
    name: 'allow_any',
    bytes: encodeVirtualHost(catchAll('allow_any', originalDestinationCluster)),
  },
};
const registryOnly = { name: 'block_all', bytes: encodeVirtualHost(blockAll()) };

/** What was made, and for whom. */
interface Made {
  readonly resource: EncodedResource;
  readonly view: ScopeView;
}

/** A port's virtual host with all names that the port has. */
interface EncodedPort {
  readonly routes: PortRoutes;
  readonly domains: readonly string[];
  readonly bytes: Uint8Array;
}

type Labels = Readonly<Record<string, string>>;

/** What of a client matters here. */
export interface RoutesClient {
  readonly namespace: string;
  readonly labels: Labels;
  /** The part of the mesh that it sees. */
  readonly view: ScopeView;
}

export class RouteResources {
  private model: MeshModel;
  /** What `get` has made since the last change. */
  private current = new Map<string, Made>();
  /** What was there before: content that comes out the same keeps its object. */
  private previous: ReadonlyMap<string, Made> = new Map();
  /** The model's hosts in the order of routes; made when somebody asks. */
  private hosts: readonly MeshHost[] | null = null;
  /** Labels of clients that rules look at anywhere in the mesh; made when somebody asks. */
  private labelKeys: readonly string[] | null = null;
  /** Views are immutable and shared between models, so what is encoded outlives a change elsewhere. */
  private readonly encoded = new WeakMap<HostView, Map<string, readonly EncodedPort[]>>();

  /** Configurations that say no more than that their virtual hosts come by themselves; the mesh does not change them. */
  private readonly frames = new Map<string, EncodedResource>();
  private readonly virtualHosts = new VirtualHostResources<RoutesClient>({
    roleOf: (client) => this.role(client),
    piecesOf: (collection, client) => {
      const parsed = parseRoutesName(collection);
      return parsed === undefined || parsed.kind === 'upstream' || parsed.namespace !== client.namespace
        ? []
        : this.pieces(client, parsed.kind);
    },
  });

  constructor(model: MeshModel) {
    this.model = model;
  }

  /**
   * Views know of the change already; those that are in use no more are forgotten. Returns the names of the virtual hosts by
   * themselves that changed.
   */
  setModel(model: MeshModel, isInUse: (view: ScopeView) => boolean = () => true): Set<string> {
    this.model = model;
    this.hosts = null;
    this.labelKeys = null;
    const { current } = this;
    this.previous = new Map([...this.previous, ...current]);
    if (this.previous.size > maxNames) this.previous = new Map();
    // Who sees a part of the mesh has nothing to do with changes elsewhere.
    this.current = new Map([...current].filter(([, { view }]) => !view.wasTouched && isInUse(view)));
    return this.virtualHosts.update(
      ({ view }) => isInUse(view),
      ({ view }) => view.wasTouched,
    );
  }

  /** What proxies of a namespace that know VHDS get; undefined for names of which there is nothing to divide. */
  frame(name: string, namespace: string): EncodedResource | undefined {
    if (!isCollection(name, namespace)) return undefined;
    let frame = this.frames.get(name);
    if (frame === undefined) {
      frame = makeResource(TypeUrl.routeConfiguration, name, routeConfigurationByVhds(name));
      this.frames.set(name, frame);
    }
    return frame;
  }

  /** The names of a route configuration's virtual hosts by themselves, for a proxy. */
  listVirtualHosts(name: string, client: RoutesClient): Iterable<string> {
    return isCollection(name, client.namespace) ? this.virtualHosts.list(name, client) : [];
  }

  /** One of those. */
  virtualHost(name: string, client: RoutesClient): EncodedResource | undefined {
    const collection = collectionOf(TypeUrl.virtualHost, name);
    return collection === undefined ? undefined : this.virtualHosts.get(collection, name, client);
  }

  /** As a client gets it; undefined for names that are none of ours, or of another namespace. */
  get(name: string, client: RoutesClient): EncodedResource | undefined {
    const key = `${name}${this.role(client)}`;
    const known = this.current.get(key);
    if (known !== undefined) return known.resource;
    const message = this.compile(name, client);
    if (message === undefined) return undefined;
    const before = this.previous.get(key)?.resource;
    const resource = makeResource(TypeUrl.routeConfiguration, name, message, [before]);
    if (this.current.size >= maxNames) this.current.clear();
    this.current.set(key, { resource, view: client.view });
    return resource;
  }

  /** What of a client decides anything, as text: its labels as far as rules look at them, and what it sees. */
  private role({ labels, view }: RoutesClient): string {
    this.labelKeys ??= [
      ...new Set(
        [...this.model.hosts.values()].flatMap(({ shared, views }) =>
          [shared, ...views.values()].flatMap(({ sourceLabelKeys }) => sourceLabelKeys),
        ),
      ),
    ].sort();
    return `${roleOf(this.labelKeys, labels)} ${view.scope.key}`;
  }

  private compile(name: string, client: RoutesClient): Uint8Array | undefined {
    const { namespace, labels, view } = client;
    const parsed = parseRoutesName(name);
    // What others are told is nobody's business.
    if (parsed === undefined || parsed.namespace !== namespace) return undefined;
    if (parsed.kind !== 'upstream')
      return routeConfiguration(
        name,
        this.pieces(client, parsed.kind).map(({ bytes }) => bytes),
      );
    const host = view.names(parsed.host) ? this.model.hosts.get(parsed.host) : undefined;
    const seen = host === undefined ? undefined : viewOf(host, namespace);
    const found = seen?.ports.find(({ port }) => port === parsed.port);
    const routes = host === undefined || found === undefined ? undefined : portFor(host, found, labels);
    const only =
      seen === undefined || routes === undefined
        ? unknownPort(parsed.host, parsed.port)
        : dependencyHost(parsed.host, seen, routes);
    return routeConfiguration(name, [encodeVirtualHost(only)]);
  }

  /** A client's virtual hosts, and the one for everything else. */
  private pieces(client: RoutesClient, kind: 'http-proxy' | 'intercepted'): VirtualHostPiece[] {
    const rest = client.view.scope.isRegistryOnly ? registryOnly : allowAny[kind];
    return [...this.allHosts(client, kind), rest];
  }

  /** All hosts, services first, each authority once: proxies refuse a configuration in which one stands twice. */
  private allHosts(
    { namespace, labels, view }: RoutesClient,
    kind: 'http-proxy' | 'intercepted',
  ): VirtualHostPiece[] {
    this.hosts ??= [...this.model.hosts.values()].sort(
      (a, b) => Number(a.service === null) - Number(b.service === null) || (a.host < b.host ? -1 : 1),
    );
    const taken = new Set(['*']);
    const pieces: VirtualHostPiece[] = [];
    for (const host of this.hosts) {
      if (!view.names(host.host)) continue;
      for (const port of this.encodedPorts(host, namespace, labels)) {
        const free = port.domains.filter((domain) => !taken.has(domain));
        for (const domain of free) taken.add(domain);
        const name = `${host.host}:${port.routes.port}`;
        if (free.length === 0) continue;
        if (kind === 'http-proxy' && isByCaller(viewOf(host, namespace)))
          pieces.push({
            name,
            bytes: encodeVirtualHost(byAuthority(portHost(host.host, port.routes, free))),
          });
        else if (free.length === port.domains.length) pieces.push({ name, bytes: port.bytes });
        else pieces.push({ name, bytes: encodeVirtualHost(portHost(host.host, port.routes, free)) });
      }
    }
    return pieces;
  }

  /** What clients of a namespace are sent for a host: the same for all but those of the host's own, who have a shorter name for it. */
  private encodedPorts(host: MeshHost, namespace: string, labels: Labels): readonly EncodedPort[] {
    const view = viewOf(host, namespace);
    let known = this.encoded.get(view);
    if (known === undefined) {
      known = new Map();
      this.encoded.set(view, known);
    }
    const place = host.service?.namespace === namespace ? 'home' : 'abroad';
    const key = place + roleOf(view.sourceLabelKeys, labels);
    let ports = known.get(key);
    if (ports === undefined) {
      ports = view.ports.flatMap((all): EncodedPort[] => {
        const routes = portFor(host, all, labels);
        if (routes === undefined) return [];
        const domains = [...domainsOf(host, routes.port, namespace), ...addressDomains(view, routes.port)];
        return [{ routes, domains, bytes: encodeVirtualHost(portHost(host.host, routes, domains)) }];
      });
      known.set(key, ports);
    }
    return ports;
  }
}

/** Whether a name is one of the large configurations of a namespace. */
function isCollection(name: string, namespace: string): boolean {
  const parsed = parseRoutesName(name);
  return parsed !== undefined && parsed.kind !== 'upstream' && parsed.namespace === namespace;
}

/**
 * A port as a client with these labels meets it: undefined where nothing is said for it. As in Istio, rules that are all for
 * others leave a service as it is without rules.
 */
function portFor({ host, service }: MeshHost, routes: PortRoutes, labels: Labels): PortRoutes | undefined {
  const isFor = ({ sourceLabels }: RouteRule): boolean =>
    sourceLabels === null || Object.entries(sourceLabels).every(([key, value]) => labels[key] === value);
  const rules = routes.rules.filter(isFor);
  if (rules.length === routes.rules.length) return routes;
  if (rules.length > 0) return { ...routes, rules };
  return service === null ? undefined : { ...routes, rules: [defaultRule(host, routes.port)] };
}

function roleOf(keys: readonly string[], labels: Labels): string {
  return keys.length === 0 ? '' : ` ${JSON.stringify(keys.map((key) => labels[key] ?? null))}`;
}
