// Services that objects declare, by host: kept in step with the objects, read when a host is compiled.
import { type MeshObject, type ObjectKey, type StoredObject, formatKey, keyOf } from '../manifest/object.ts';
import type { DeclaredEndpoint, DeclaredService } from './declared-service.ts';
import { serviceHost } from './host-name.ts';
import {
  type Declaration,
  type ObjectOf,
  declaredHosts,
  isDeclaration,
  readDeclaration,
  readSlice,
  readWorkload,
  selects,
} from './read-declarations.ts';
import { isVisible, namedNamespaces } from './visibility.ts';

/** A declaration of a host, and how old it is. */
interface Known {
  readonly object: Declaration;
  readonly createdRevision: number;
}

/** Objects that name endpoints of services that others declare. */
type EndpointObject = ObjectOf<'WorkloadEntry'> | ObjectOf<'EndpointSlice'>;

export class Declarations {
  readonly #domain: string;
  readonly #objects = new Map<string, MeshObject>();
  readonly #byHost = new Map<string, Known[]>();
  /** Workloads and slices, by their namespace. */
  readonly #endpoints = new Map<string, Map<string, EndpointObject>>();
  /** Declarations that select workloads, or are Services, to which slices belong; by namespace. */
  readonly #declarations = new Map<string, Map<string, Declaration>>();

  constructor(domain: string) {
    this.#domain = domain;
  }

  has(host: string): boolean {
    return this.#byHost.has(host);
  }

  /** Adds or replaces an object. Returns the hosts about which it says or said something. */
  set({ object, createdRevision }: StoredObject): string[] {
    const touched = this.delete(keyOf(object));
    const key = formatKey(keyOf(object));
    const { namespace } = object.metadata;
    if (isDeclaration(object)) {
      for (const host of declaredHosts(object, this.#domain)) {
        const known = [...(this.#byHost.get(host) ?? []), { object, createdRevision }];
        this.#byHost.set(host, known.sort(byPrecedence));
      }
      inner(this.#declarations, namespace).set(key, object);
    } else if (object.kind === 'WorkloadEntry' || object.kind === 'EndpointSlice') {
      inner(this.#endpoints, namespace).set(key, object);
    } else return touched;
    this.#objects.set(key, object);
    return [...touched, ...this.#touchedBy(object)];
  }

  /** Removes an object. Returns the hosts about which it said something. */
  delete(key: ObjectKey): string[] {
    const name = formatKey(key);
    const object = this.#objects.get(name);
    if (object === undefined) return [];
    this.#objects.delete(name);
    const touched = this.#touchedBy(object);
    this.#endpoints.get(key.namespace)?.delete(name);
    if (!isDeclaration(object)) return touched;
    this.#declarations.get(key.namespace)?.delete(name);
    for (const host of declaredHosts(object, this.#domain)) {
      const rest = (this.#byHost.get(host) ?? []).filter((known) => known.object !== object);
      if (rest.length === 0) this.#byHost.delete(host);
      else this.#byHost.set(host, rest);
    }
    return touched;
  }

  /** The client namespaces that see other declarations of a host than the rest does. */
  specialNamespaces(host: string): string[] {
    const known = this.#byHost.get(host) ?? [];
    const homes = known.length > 1 ? known.map(({ object }) => object.metadata.namespace) : [];
    return [...homes, ...known.flatMap(({ object }) => namedNamespaces(object))];
  }

  /**
   * What clients of a namespace see declared of a host; null where it is nothing. What their own namespace declares counts
   * before what others do, of those the oldest; what one namespace says in several objects counts together.
   */
  seenBy(host: string, namespace: string): DeclaredService | null {
    const visible = (this.#byHost.get(host) ?? []).filter(({ object }) => isVisible(object, namespace));
    const first = visible.find(({ object }) => object.metadata.namespace === namespace) ?? visible[0];
    if (first === undefined) return null;
    const home = first.object.metadata.namespace;
    const declared = visible
      .filter(({ object }) => object.metadata.namespace === home)
      .map(({ object }) => this.#read(object, host));
    return declared.reduce(merge);
  }

  /** Whether clients of a namespace may see what somebody declares of a host; true where nobody does. */
  isVisible(host: string, namespace: string): boolean {
    const known = this.#byHost.get(host);
    return known === undefined || known.some(({ object }) => isVisible(object, namespace));
  }

  /** The declaration that decides what the host is for those whom nothing says otherwise. */
  first(host: string): DeclaredService | null {
    const [first] = this.#byHost.get(host) ?? [];
    return first === undefined ? null : this.#read(first.object, host);
  }

  #read(object: Declaration, host: string): DeclaredService {
    return readDeclaration(object, host, this.#endpointsOf(object));
  }

  #endpointsOf(declaration: Declaration): DeclaredEndpoint[] {
    const { namespace } = declaration.metadata;
    const found = [...(this.#endpoints.get(namespace) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return found.flatMap(([, object]) => {
      if (object.kind === 'EndpointSlice') return belongs(object, declaration) ? readSlice(object) : [];
      const labels = labelsOf(object);
      const isSelected = selects(declaration, namespace, labels);
      return isSelected ? [readWorkload({ ...object.spec, labels }, namespace)] : [];
    });
  }

  #touchedBy(object: MeshObject): string[] {
    if (isDeclaration(object)) return declaredHosts(object, this.#domain);
    const { namespace } = object.metadata;
    if (object.kind === 'EndpointSlice') {
      const service = serviceOf(object);
      return service === undefined ? [] : [serviceHost(service, namespace, this.#domain)];
    }
    if (object.kind !== 'WorkloadEntry') return [];
    const declarations = [...(this.#declarations.get(namespace)?.values() ?? [])];
    return declarations
      .filter((declaration) => selects(declaration, namespace, labelsOf(object)))
      .flatMap((declaration) => declaredHosts(declaration, this.#domain));
  }
}

/** Services first, then the oldest; the name decides between equally old ones. */
function byPrecedence(a: Known, b: Known): number {
  return (
    Number(a.object.kind === 'ServiceEntry') - Number(b.object.kind === 'ServiceEntry') ||
    a.createdRevision - b.createdRevision ||
    (formatKey(keyOf(a.object)) < formatKey(keyOf(b.object)) ? -1 : 1)
  );
}

/** Adds to a declaration what another of its namespace says. One that contradicts it says nothing. */
function merge(first: DeclaredService, other: DeclaredService): DeclaredService {
  if (first.resolution !== other.resolution || first.isExternal !== other.isExternal) return first;
  const numbers = new Set(first.ports.map(({ number }) => number));
  const ports = [...first.ports, ...other.ports.filter(({ number }) => !numbers.has(number))];
  return {
    ...first,
    ports: ports.sort((a, b) => a.number - b.number),
    addresses: [...new Set([...first.addresses, ...other.addresses])],
    selector: first.selector ?? other.selector,
    endpoints: first.resolution === 'DNS_ROUND_ROBIN' ? first.endpoints : distinct(first, other),
    subjectAltNames: [...new Set([...first.subjectAltNames, ...other.subjectAltNames])],
  };
}

function distinct(first: DeclaredService, other: DeclaredService): DeclaredEndpoint[] {
  const known = new Set(first.endpoints.map((endpoint) => JSON.stringify(endpoint)));
  return [...first.endpoints, ...other.endpoints.filter((endpoint) => !known.has(JSON.stringify(endpoint)))];
}

/** A workload's labels are those of its spec, and those of the object itself, as in Istio. */
function labelsOf({ metadata, spec }: ObjectOf<'WorkloadEntry'>): Readonly<Record<string, string>> {
  return { ...metadata.labels, ...spec.labels };
}

function serviceOf({ metadata }: ObjectOf<'EndpointSlice'>): string | undefined {
  return metadata.labels?.['kubernetes.io/service-name'];
}

function belongs(slice: ObjectOf<'EndpointSlice'>, declaration: Declaration): boolean {
  return declaration.kind === 'Service' && serviceOf(slice) === declaration.metadata.name;
}

function inner<V>(outer: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = outer.get(key);
  if (found === undefined) {
    found = new Map();
    outer.set(key, found);
  }
  return found;
}
