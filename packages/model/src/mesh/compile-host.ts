// Everything about one host: what it is compiled from is what a change must look at again.
import { isDeepStrictEqual } from 'node:util';
import { type DestinationRule, type VirtualService, keyOf } from '../manifest/object.ts';
import { deepFreeze } from '../manifest/deep-freeze.ts';
import { compileRules, defaultRule } from './compile-rules.ts';
import type { Declarations } from './declarations.ts';
import type { DeclaredService } from './declared-service.ts';
import { expandHost } from './host-name.ts';
import type { HostView, MeshHost, MeshService, PortRoutes, ServicePort, Subset } from './model.ts';
import { type Candidate, type ObjectIndex, applicableRules } from './object-index.ts';
import { countingDeclaration, joinService } from './services.ts';
import { isVisible, namedNamespaces } from './visibility.ts';

export interface HostContext {
  readonly domain: string;
  readonly rootNamespace: string;
  readonly index: ObjectIndex;
  /** Those that are running. */
  readonly running: ReadonlyMap<string, MeshService>;
  /** Those that objects declare. */
  readonly declarations: Declarations;
  /** Both. */
  readonly services: ReadonlyMap<string, MeshService>;
}

/** No namespace has this name: it stands for all that are not named anywhere. */
const anyOtherNamespace = '';

/** A compiled host and the hosts whose services it was compiled with. */
export interface CompiledHost {
  readonly host: MeshHost;
  readonly dependencies: ReadonlySet<string>;
}

/** Compiles a host: one view for all client namespaces, and one for each of those that differ. */
export function compileHost(host: string, context: HostContext): CompiledHost {
  const service = context.services.get(host) ?? null;
  const candidates = {
    virtualServices: context.index.virtualServices(host),
    destinationRules: context.index.destinationRules(host),
  };
  const dependencies = new Set<string>();
  for (const { object } of candidates.virtualServices) {
    for (const { destination } of (object.spec.http ?? []).flatMap((rule) => rule.route ?? [])) {
      dependencies.add(expandHost(destination.host, object.metadata.namespace, context.domain));
    }
  }
  const compile = (namespace: string): HostView =>
    deepFreeze(compileView(host, namespace, candidates, context));
  const shared = compile(anyOtherNamespace);
  const views = new Map<string, HostView>();
  const special = specialNamespaces(candidates);
  for (const namespace of context.declarations.specialNamespaces(host)) special.add(namespace);
  for (const namespace of special) {
    const view = compile(namespace);
    if (!isDeepStrictEqual(view, shared)) views.set(namespace, view);
  }
  return { host: Object.freeze({ host, service, shared, views }), dependencies };
}

interface Candidates {
  readonly virtualServices: readonly Candidate<VirtualService>[];
  readonly destinationRules: readonly Candidate<DestinationRule>[];
}

/** The client namespaces that any object about the host treats differently from others. */
function specialNamespaces({ virtualServices, destinationRules }: Candidates): Set<string> {
  const namespaces = new Set<string>();
  for (const { object } of virtualServices) {
    for (const namespace of namedNamespaces(object)) namespaces.add(namespace);
    for (const match of (object.spec.http ?? []).flatMap((rule) => rule.match ?? [])) {
      if (match.sourceNamespace !== undefined) namespaces.add(match.sourceNamespace);
    }
  }
  for (const { object } of destinationRules) {
    namespaces.add(object.metadata.namespace);
    for (const namespace of namedNamespaces(object)) namespaces.add(namespace);
  }
  return namespaces;
}

/** The service as clients of a namespace see it, and what of it is declared. */
function serviceSeenBy(
  host: string,
  namespace: string,
  { running, declarations }: HostContext,
): { readonly service: MeshService | null; readonly declared: DeclaredService | null } {
  const own = running.get(host) ?? null;
  const declared = countingDeclaration(own, declarations.seenBy(host, namespace));
  // Who is not to see what somebody declares of a host does not see its instances, either.
  const isHidden = declared === null && !declarations.isVisible(host, namespace);
  return { service: isHidden ? null : joinService(own, declared), declared };
}

function compileView(
  host: string,
  namespace: string,
  { virtualServices, destinationRules }: Candidates,
  context: HostContext,
): HostView {
  const { service, declared } = serviceSeenBy(host, namespace, context);
  const virtualService = virtualServices.find(({ object }) => isVisible(object, namespace))?.object;
  const rules = applicableRules(destinationRules, namespace, service?.namespace, context.rootNamespace);
  const { domain, services } = context;
  // A service that these clients are not to see is no name for a rule to invent, either.
  const isHidden = service === null && services.has(host);
  const known = isHidden ? [] : portsOf(service, virtualService);
  const ports = known.flatMap(({ number: port, protocol }): PortRoutes[] => {
    const written =
      virtualService === undefined ? [] : compileRules(virtualService, { domain, services, namespace, port });
    if (written.length > 0) return [{ port, protocol, rules: written }];
    // As in Istio, a VirtualService without a rule for this port leaves the port alone.
    return service === null ? [] : [{ port, protocol, rules: [defaultRule(host, port)] }];
  });
  return {
    ports,
    subsets: mergeSubsets(rules),
    ...(declared === null ? {} : { declared }),
    virtualService: virtualService === undefined ? null : keyOf(virtualService),
    destinationRules: rules.map(keyOf),
  };
}

/** A host without a service has plain HTTP's port, as in Istio, and those that its rules name. */
function portsOf(service: MeshService | null, object: VirtualService | undefined): readonly ServicePort[] {
  if (service !== null) return service.ports;
  const named = (object?.spec.http ?? [])
    .flatMap((rule) => rule.match ?? [])
    .flatMap(({ port }) => port ?? []);
  const numbers = [...new Set([80, ...named])].sort((a, b) => a - b);
  return numbers.map((number) => ({ number, protocol: 'http' }));
}

/** Subsets of all rules; of two with one name the older rule's counts. */
export function mergeSubsets(rules: readonly DestinationRule[]): Subset[] {
  const subsets = new Map<string, Subset>();
  for (const { name, labels } of rules.flatMap(({ spec }) => spec.subsets ?? [])) {
    if (!subsets.has(name)) subsets.set(name, { name, labels: labels ?? {} });
  }
  return [...subsets.values()];
}
