// Several VirtualServices for one host: only the oldest counts (IST0109).
import { type MeshObject, type StoredObject, type VirtualService, keyOf } from '../manifest/object.ts';
import { type Candidate, byAge, hostsOf } from '../mesh/object-index.ts';
import { namedNamespaces } from '../mesh/visibility.ts';
import type { AnalysisContext } from './analyze.ts';
import type { Finding } from './finding.ts';

/** Conflicts by the objects that take part. */
export function findConflicts({ index, domain }: AnalysisContext): Map<MeshObject, Finding[]> {
  const findings = new Map<MeshObject, Finding[]>();
  for (const [pattern, group] of groupByHost(index.objects, domain)) {
    for (const one of group) {
      const rivals = group.filter((other) => other === one || overlap(one.object, other.object)).sort(byAge);
      if (rivals.length < 2) continue;
      const finding = describe(one, rivals, pattern, domain);
      findings.set(one.object, [...(findings.get(one.object) ?? []), finding]);
    }
  }
  return findings;
}

function groupByHost(
  objects: Iterable<StoredObject>,
  domain: string,
): Map<string, Candidate<VirtualService>[]> {
  const groups = new Map<string, Candidate<VirtualService>[]>();
  for (const { object, createdRevision } of objects) {
    if (object.kind !== 'VirtualService') continue;
    for (const pattern of new Set(hostsOf(object, domain))) {
      const candidate = { object, createdRevision, pattern };
      const group = groups.get(pattern);
      if (group === undefined) groups.set(pattern, [candidate]);
      else group.push(candidate);
    }
  }
  return groups;
}

/** Whether any namespace sees both. */
function overlap(a: MeshObject, b: MeshObject): boolean {
  const [named, others] = [namedNamespaces(a), namedNamespaces(b)];
  return named.length === 0 || others.length === 0 || named.some((namespace) => others.includes(namespace));
}

function describe(
  one: Candidate<VirtualService>,
  rivals: readonly Candidate<VirtualService>[],
  pattern: string,
  domain: string,
): Finding {
  const names = rivals.map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`);
  const verdict =
    rivals[0] === one ? 'this one is the oldest and decides' : `${names[0]} is older and decides`;
  return {
    object: keyOf(one.object),
    analyzer: 'mesh-conflict',
    code: 'IST0109',
    name: 'ConflictingMeshGatewayVirtualServiceHosts',
    level: 'ERROR',
    message: `the VirtualServices ${names.join(', ')} are about the same host ${pattern}; ${verdict}`,
    hint: 'put their rules into one VirtualService',
    path: `spec.hosts[${hostsOf(one.object, domain).indexOf(pattern)}]`,
  };
}
