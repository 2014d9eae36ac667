// Everything about one host: what it is compiled from is what a change must look at again.
import { isDeepStrictEqual } from 'node:util';
import { type DestinationRule, type VirtualService, keyOf } from '../manifest/object.ts';
import { deepFreeze } from '../manifest/deep-freeze.ts';
import { compileRules, defaultRule } from './compile-rules.ts';
import type { Declarations } from './declarations.ts';
import type { DeclaredService } from './declared-service.ts';
import { type WrittenRule, hostsOfRule, writtenRules } from './delegates.ts';
import type { HostView, MeshHost, MeshService, PortRoutes, ServicePort, Subset } from './model.ts';
import { backendHosts, compileGatewayRules } from './compile-gateway-rules.ts';
import { type AttachedRoute, type GatewayRoute, routesFor } from './gateway-routes.ts';
import { type Candidate, type ObjectIndex, applicableRules } from './object-index.ts';
import { countingDeclaration, joinService } from './services.ts';
import { compilePolicies } from './traffic-policy.ts';
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
  const { index, domain } = context;
  const candidates = {
    virtualServices: index.virtualServices(host).map(({ object }) => ({
      object,
      rules: writtenRules(object, (namespace, name) => index.virtualService(namespace, name), domain),
    })),
    destinationRules: index.destinationRules(host),
    routes: index.gatewayRoutes(host),
  };
  const dependencies = new Set([
    ...candidates.virtualServices.flatMap(({ rules }) => rules.flatMap(({ rule }) => hostsOfRule(rule))),
    ...candidates.routes.flatMap((route) => backendHosts(route, domain)),
  ]);
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
  readonly virtualServices: readonly {
    readonly object: VirtualService;
    readonly rules: readonly WrittenRule[];
  }[];
  readonly destinationRules: readonly Candidate<DestinationRule>[];
  readonly routes: readonly AttachedRoute[];
}

/** The client namespaces that any object about the host treats differently from others. */
function specialNamespaces({ virtualServices, destinationRules, routes }: Candidates): Set<string> {
  const namespaces = new Set<string>(routes.map(({ object }) => object.metadata.namespace));
  for (const { object, rules } of virtualServices) {
    for (const namespace of namedNamespaces(object)) namespaces.add(namespace);
    for (const match of rules.flatMap(({ rule }) => rule.match ?? [])) {
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
  { virtualServices, destinationRules, routes }: Candidates,
  context: HostContext,
): HostView {
  const { service, declared } = serviceSeenBy(host, namespace, context);
  const found = virtualServices.find(({ object }) => isVisible(object, namespace));
  const virtualService = found?.object;
  const written = found?.rules ?? [];
  const rules = applicableRules(destinationRules, namespace, service?.namespace, context.rootNamespace);
  const { services } = context;
  // A service that these clients are not to see is no name for a rule to invent, either.
  const isHidden = service === null && services.has(host);
  const used = new Set<GatewayRoute>();
  const known = isHidden ? [] : portsOf(service, written);
  const ports = known.flatMap(({ number: port, protocol }): PortRoutes[] => {
    const compiled = compileRules(written, { services, namespace, port });
    if (compiled.length > 0) return [{ port, protocol, rules: compiled }];
    const attached = found === undefined ? routesFor(routes, namespace, service?.namespace, port) : [];
    if (attached.length > 0 && service !== null) {
      for (const { object } of attached) used.add(object);
      const { domain, index } = context;
      const gateway = { services, port, domain, grants: index.grants };
      return [{ port, protocol, rules: compileGatewayRules(attached, gateway) }];
    }
    // As in Istio, a VirtualService without a rule for this port leaves the port alone.
    return service === null ? [] : [{ port, protocol, rules: [defaultRule(host, port)] }];
  });
  return {
    ports,
    subsets: mergeSubsets(rules),
    ...(declared === null ? {} : { declared }),
    sourceLabelKeys: labelKeys(ports),
    policies: compilePolicies(
      rules,
      ports.map(({ port }) => port),
    ),
    virtualService: virtualService === undefined ? null : keyOf(virtualService),
    destinationRules: rules.map(keyOf),
    ...(used.size === 0 ? {} : { gatewayRoutes: [...used].map(keyOf) }),
  };
}

/** The labels of clients by which rules choose them, in order. */
function labelKeys(ports: readonly PortRoutes[]): string[] {
  const labels = ports.flatMap(({ rules }) => rules.flatMap((rule) => Object.keys(rule.sourceLabels ?? {})));
  return [...new Set(labels)].sort();
}

/** A host without a service has plain HTTP's port, as in Istio, and those that its rules name. */
function portsOf(service: MeshService | null, rules: readonly WrittenRule[]): readonly ServicePort[] {
  if (service !== null) return service.ports;
  const named = rules.flatMap(({ rule }) => rule.match ?? []).flatMap(({ port }) => port ?? []);
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
