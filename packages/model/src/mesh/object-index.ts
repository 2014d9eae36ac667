import type {
  DestinationRule,
  MeshObject,
  ObjectKey,
  StoredObject,
  VirtualService,
} from '../manifest/object.ts';
import { formatKey, keyOf } from '../manifest/object.ts';
import { comparePatterns, expandHost, hostMatches } from './host-name.ts';
import {
  type AttachedRoute,
  attachment,
  isGatewayRoute,
  parentHosts,
  ReferenceGrants,
} from './gateway-routes.ts';
import { delegateOf, isDelegate } from './delegates.ts';
import { isVisible } from './visibility.ts';

/** An object that says something about a host. */
export interface Candidate<T extends MeshObject> {
  readonly object: T;
  readonly createdRevision: number;
  /** The host or wildcard by which it does, as a full name. */
  readonly pattern: string;
}

/** The hosts an object's rules are about, as full names; none of objects that say nothing to sidecars. */
export function hostsOf(object: MeshObject, domain: string): string[] {
  if (isGatewayRoute(object)) return parentHosts(object, domain);
  return writtenHosts(object).map((host) => expandHost(host, object.metadata.namespace, domain));
}

function writtenHosts(object: MeshObject): readonly string[] {
  if (object.kind === 'DestinationRule') return [object.spec.host];
  if (object.kind !== 'VirtualService') return [];
  const { hosts = [], gateways = [] } = object.spec;
  return gateways.length === 0 || gateways.includes('mesh') ? hosts : [];
}

/** Oldest first; the name decides between equally old ones, so that the order never depends on the input's. */
export function byAge<T extends MeshObject>(a: Candidate<T>, b: Candidate<T>): number {
  if (a.createdRevision !== b.createdRevision) return a.createdRevision - b.createdRevision;
  return formatKey(keyOf(a.object)) < formatKey(keyOf(b.object)) ? -1 : 1;
}

/** Objects by the hosts they are about. */
export class ObjectIndex {
  readonly #domain: string;
  readonly #objects = new Map<string, StoredObject>();
  /** Candidates by their pattern. */
  readonly #exact = new Map<string, Candidate<MeshObject>[]>();
  readonly #wildcards: Candidate<MeshObject>[] = [];
  /** VirtualServices that leave rules to others. */
  readonly #delegating = new Set<VirtualService>();
  /** HTTPRoutes and GRPCRoutes by host. */
  readonly #routes = new Map<string, Set<StoredObject>>();
  readonly grants = new ReferenceGrants();

  constructor(domain: string) {
    this.#domain = domain;
  }

  get objects(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  /** Adds or replaces an object. Returns the patterns about which it says or said something. */
  set(stored: StoredObject): string[] {
    const { object, createdRevision } = stored;
    const before = this.delete(keyOf(object));
    this.#objects.set(formatKey(keyOf(object)), stored);
    if (object.kind === 'ReferenceGrant') this.grants.set(object);
    const patterns = hostsOf(object, this.#domain);
    if (isGatewayRoute(object)) {
      for (const host of patterns) addTo(this.#routes, host, stored);
      return [...before, ...patterns];
    }
    if (object.kind === 'VirtualService' && object.spec.http?.some((rule) => rule.delegate !== undefined))
      this.#delegating.add(object);
    for (const pattern of patterns) {
      const candidate = { object, createdRevision, pattern };
      if (pattern.startsWith('*')) {
        this.#wildcards.push(candidate);
        continue;
      }
      const others = this.#exact.get(pattern);
      if (others === undefined) this.#exact.set(pattern, [candidate]);
      else others.push(candidate);
    }
    return [...before, ...patterns, ...this.#rootsOf(object), ...this.#routesBy(object)];
  }

  /** Removes an object. Returns the patterns about which it said something. */
  delete(key: ObjectKey): string[] {
    const stored = this.#objects.get(formatKey(key));
    if (stored === undefined) return [];
    this.#objects.delete(formatKey(key));
    if (stored.object.kind === 'ReferenceGrant') this.grants.delete(stored.object);
    const patterns = hostsOf(stored.object, this.#domain);
    if (isGatewayRoute(stored.object)) {
      for (const host of patterns) this.#routes.get(host)?.delete(stored);
      return patterns;
    }
    const keep = ({ object }: Candidate<MeshObject>): boolean => object !== stored.object;
    for (const pattern of patterns) {
      const rest = this.#exact.get(pattern)?.filter(keep) ?? [];
      if (rest.length === 0) this.#exact.delete(pattern);
      else this.#exact.set(pattern, rest);
    }
    this.#wildcards.splice(0, this.#wildcards.length, ...this.#wildcards.filter(keep));
    if (stored.object.kind === 'VirtualService') this.#delegating.delete(stored.object);
    return [...patterns, ...this.#rootsOf(stored.object), ...this.#routesBy(stored.object)];
  }

  /** The VirtualService of this name. */
  virtualService(namespace: string, name: string): VirtualService | undefined {
    const key = { group: 'networking.istio.io', kind: 'VirtualService', namespace, name } as const;
    const object = this.#objects.get(formatKey(key))?.object;
    return object?.kind === 'VirtualService' ? object : undefined;
  }

  /** HTTPRoutes and GRPCRoutes that are attached to a host. */
  gatewayRoutes(host: string): AttachedRoute[] {
    return [...(this.#routes.get(host) ?? [])].flatMap(
      (stored) => attachment(stored, host, this.#domain) ?? [],
    );
  }

  /** The hosts with routes, of which a grant may decide something. */
  #routesBy(object: MeshObject): string[] {
    return object.kind === 'ReferenceGrant' ? [...this.#routes.keys()] : [];
  }

  /** The hosts of the objects that leave rules to this one. */
  #rootsOf(object: MeshObject): string[] {
    if (object.kind !== 'VirtualService' || !isDelegate(object)) return [];
    const { name, namespace } = object.metadata;
    return [...this.#delegating]
      .filter((root) =>
        (root.spec.http ?? []).some((rule) => {
          const found = delegateOf(rule, root);
          return found?.name === name && found.namespace === namespace;
        }),
      )
      .flatMap((root) => hostsOf(root, this.#domain));
  }

  /** Whether a VirtualService names exactly this host or wildcard. */
  isNamed(host: string): boolean {
    const candidates = host.startsWith('*') ? this.#wildcards : (this.#exact.get(host) ?? []);
    return candidates.some(({ object, pattern }) => object.kind === 'VirtualService' && pattern === host);
  }

  /** Every VirtualService about a host, the one that decides first: the most specific pattern, then the oldest. */
  virtualServices(host: string): Candidate<VirtualService>[] {
    return this.#candidates(host)
      .filter((found): found is Candidate<VirtualService> => found.object.kind === 'VirtualService')
      .sort((a, b) => comparePatterns(a.pattern, b.pattern) || byAge(a, b));
  }

  /** Every DestinationRule about a host, in the same order. */
  destinationRules(host: string): Candidate<DestinationRule>[] {
    return this.#candidates(host)
      .filter((found): found is Candidate<DestinationRule> => found.object.kind === 'DestinationRule')
      .sort((a, b) => comparePatterns(a.pattern, b.pattern) || byAge(a, b));
  }

  #candidates(host: string): Candidate<MeshObject>[] {
    return [
      ...(this.#exact.get(host) ?? []),
      ...this.#wildcards.filter(({ pattern }) => hostMatches(pattern, host)),
    ];
  }
}

/**
 * The DestinationRules that hold for clients of a namespace: those of the client's namespace, else those of the service's,
 * else those of the root namespace. Of the first namespace that has any, those with the most specific host count together,
 * oldest first. `candidates` are in the order of `ObjectIndex.destinationRules`.
 */
export function applicableRules(
  candidates: readonly Candidate<DestinationRule>[],
  clientNamespace: string,
  serviceNamespace: string | undefined,
  rootNamespace: string,
): DestinationRule[] {
  const order = [
    { home: clientNamespace, isRoot: false },
    { home: serviceNamespace, isRoot: serviceNamespace === rootNamespace },
    { home: rootNamespace, isRoot: true },
  ];
  for (const { home, isRoot } of order) {
    const rules = candidates.filter(({ object }) => {
      if (object.metadata.namespace !== home || !isVisible(object, clientNamespace)) return false;
      // What the root namespace says for everybody comes last for its own clients too.
      const isForAll = home === rootNamespace && object.spec.exportTo?.includes('.') !== true;
      return !isForAll || isRoot;
    });
    const pattern = rules[0]?.pattern;
    if (pattern !== undefined)
      return rules.filter((rule) => rule.pattern === pattern).map(({ object }) => object);
  }
  return [];
}

function addTo<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}
