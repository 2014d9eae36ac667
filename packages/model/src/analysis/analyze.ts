import { type StoredObject, formatKey, keyOf } from '../manifest/object.ts';
import type { MeshOptions } from '../mesh/mesh-compiler.ts';
import { defaultDomain, defaultRootNamespace } from '../mesh/host-name.ts';
import type { MeshService } from '../mesh/model.ts';
import { ObjectIndex } from '../mesh/object-index.ts';
import { findConflicts } from './conflicts.ts';
import type { Finding } from './finding.ts';
import { findMissingDestinations, findMissingHosts } from './references.ts';
import { findDeprecations } from './deprecations.ts';
import { findEnvoyFilterProblems } from './envoy-filters.ts';
import { findGatewayProblems } from './gateways.ts';
import { findUnverifiedServers } from './server-verification.ts';
import { findServiceEntryProblems } from './service-entries.ts';
import { knownServices } from './known-services.ts';
import { findServiceProblems } from './services.ts';
import { findUnreachableRules } from './unreachable-rules.ts';
import { findSelectorProblems } from './workload-selectors.ts';
import { World } from './world.ts';

/** Analyzers that look at all objects at once. */
const worldAnalyzers: readonly ((world: World) => Finding[])[] = [
  findUnverifiedServers,
  findSelectorProblems,
  findGatewayProblems,
  findServiceEntryProblems,
  findServiceProblems,
  findEnvoyFilterProblems,
  findDeprecations,
];

export interface AnalysisInput extends MeshOptions {
  readonly objects: readonly StoredObject[];
  readonly services: ReadonlyMap<string, MeshService>;
  /** Whether there is such a host beside the services; asked with full names. */
  readonly knowsHost?: (host: string) => boolean;
  /** The mesh's settings, as they are written. */
  readonly meshConfig?: Readonly<Record<string, unknown>>;
}

/** What the analyzers look things up in. */
export interface AnalysisContext {
  readonly domain: string;
  readonly rootNamespace: string;
  readonly index: ObjectIndex;
  readonly services: ReadonlyMap<string, MeshService>;
  /** Asked with a full name, for rules of a namespace. */
  readonly knowsHost: (host: string, namespace: string) => boolean;
}

/**
 * Everything doubtful about a set of valid objects, in the order of the objects. To be asked again when objects or services
 * change: what it finds depends on both.
 */
export function analyze(input: AnalysisInput): Finding[] {
  const domain = input.domain ?? defaultDomain;
  const index = new ObjectIndex(domain);
  for (const stored of input.objects) index.set(stored);
  const { services, knowsHost } = knownServices(
    input.objects.map(({ object }) => object),
    input.services,
    domain,
  );
  const context: AnalysisContext = {
    domain,
    rootNamespace: input.rootNamespace ?? defaultRootNamespace,
    index,
    services,
    knowsHost: (host, namespace) => knowsHost(host, namespace) || input.knowsHost?.(host) === true,
  };
  const conflicts = findConflicts(context);
  const world = new World(
    input.objects.map(({ object }) => object),
    domain,
    input.meshConfig,
  );
  const others = Map.groupBy(
    worldAnalyzers.flatMap((find) => find(world)),
    (found) => formatKey(found.object),
  );
  return input.objects.flatMap(({ object }) => {
    const isVirtualService = object.kind === 'VirtualService';
    return [
      ...(isVirtualService ? findMissingDestinations(object, context) : []),
      ...findMissingHosts(object, context),
      ...(conflicts.get(object) ?? []),
      ...(isVirtualService ? findUnreachableRules(object) : []),
      ...(others.get(formatKey(keyOf(object))) ?? []),
    ];
  });
}
