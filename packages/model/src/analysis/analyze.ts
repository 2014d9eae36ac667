import type { StoredObject } from '../manifest/object.ts';
import type { MeshOptions } from '../mesh/mesh-compiler.ts';
import { defaultDomain, defaultRootNamespace } from '../mesh/host-name.ts';
import type { MeshService } from '../mesh/model.ts';
import { ObjectIndex } from '../mesh/object-index.ts';
import { findConflicts } from './conflicts.ts';
import type { Finding } from './finding.ts';
import { findMissingDestinations, findMissingHosts } from './references.ts';
import { findUnreachableRules } from './unreachable-rules.ts';

export interface AnalysisInput extends MeshOptions {
  readonly objects: readonly StoredObject[];
  readonly services: ReadonlyMap<string, MeshService>;
  /** Whether there is such a host beside the services; asked with full names. */
  readonly knowsHost?: (host: string) => boolean;
}

/** What the analyzers look things up in. */
export interface AnalysisContext {
  readonly domain: string;
  readonly rootNamespace: string;
  readonly index: ObjectIndex;
  readonly services: ReadonlyMap<string, MeshService>;
  readonly knowsHost: (host: string) => boolean;
}

/**
 * Everything doubtful about a set of valid objects, in the order of the objects. To be asked again when objects or services
 * change: what it finds depends on both.
 */
export function analyze(input: AnalysisInput): Finding[] {
  const domain = input.domain ?? defaultDomain;
  const index = new ObjectIndex(domain);
  for (const stored of input.objects) index.set(stored);
  const { services } = input;
  const context: AnalysisContext = {
    domain,
    rootNamespace: input.rootNamespace ?? defaultRootNamespace,
    index,
    services,
    knowsHost: (host) => services.has(host) || input.knowsHost?.(host) === true,
  };
  const conflicts = findConflicts(context);
  return input.objects.flatMap(({ object }) => {
    const isVirtualService = object.kind === 'VirtualService';
    return [
      ...(isVirtualService ? findMissingDestinations(object, context) : []),
      ...findMissingHosts(object, context),
      ...(conflicts.get(object) ?? []),
      ...(isVirtualService ? findUnreachableRules(object) : []),
    ];
  });
}
