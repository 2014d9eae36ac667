// Objects that are for some of a namespace's workloads: for none, or for those that another is for (IST0101, IST0110,
// IST0111, IST0159, IST0160, IST0166, IST0167).
import type { MeshObject } from '../manifest/object.ts';
import type { Analyzer, Finding } from './finding.ts';
import { type Labels, type ObjectOfKind, type World, finding, listOf } from './world.ts';

interface Selecting<T extends MeshObject> {
  readonly analyzer: Analyzer;
  readonly selectorOf: (object: T) => Labels | undefined;
  readonly path: string;
  readonly conflict: readonly [code: string, name: string];
  readonly unselective: readonly [code: string, name: string];
}

function findSelectorConflicts<T extends ObjectOfKind<'Sidecar'> | ObjectOfKind<'Telemetry'>>(
  objects: readonly T[],
  world: World,
  { analyzer, selectorOf, path, conflict, unselective }: Selecting<T>,
): Finding[] {
  const findings: Finding[] = [];
  for (const rivals of Map.groupBy(objects, ({ metadata }) => metadata.namespace).values()) {
    const general = rivals.filter((object) => selectorOf(object) === undefined);
    const names = listOf(general.map(({ metadata }) => metadata.name));
    for (const object of general.length > 1 ? general : []) {
      const [code, name] = unselective;
      const message = `${names} are for all workloads of the namespace; which of them counts is undefined`;
      findings.push(finding({ analyzer, code, name, level: 'ERROR' }, object, 'metadata.name', message));
    }
    findings.push(...findOverlaps(rivals, world, { analyzer, selectorOf, path, conflict, unselective }));
  }
  return findings;
}

function findOverlaps<T extends MeshObject>(
  rivals: readonly T[],
  world: World,
  { analyzer, selectorOf, path, conflict: [code, name] }: Selecting<T>,
): Finding[] {
  const findings: Finding[] = [];
  const chosen = rivals.map((object) => {
    const selector = selectorOf(object);
    const workloads = selector === undefined ? [] : world.selected(selector, object.metadata.namespace);
    return { object, selector, workloads };
  });
  for (const { object, selector, workloads } of chosen) {
    if (selector === undefined) continue;
    if (workloads.length === 0) {
      // Of a mesh of which no workload is known nothing can be said.
      if (world.workloads.length === 0) continue;
      const kind = { analyzer, code: 'IST0101', name: 'ReferencedResourceNotFound', level: 'ERROR' } as const;
      findings.push(finding(kind, object, path, 'no workload of the namespace has these labels'));
      continue;
    }
    const shared = workloads.find((workload) =>
      chosen.some((other) => other.object !== object && other.workloads.includes(workload)),
    );
    if (shared === undefined) continue;
    const names = chosen
      .filter((other) => other.workloads.includes(shared))
      .map((other) => other.object.metadata.name);
    const message = `${listOf(names)} are for the same workload ${shared.key.name}; which of them counts is undefined`;
    findings.push(finding({ analyzer, code, name, level: 'ERROR' }, object, path, message));
  }
  return findings;
}

export function findSelectorProblems(world: World): Finding[] {
  return [
    ...findSelectorConflicts(world.all('Sidecar'), world, {
      analyzer: 'sidecar-selector',
      selectorOf: ({ spec }) => spec.workloadSelector?.labels,
      path: 'spec.workloadSelector',
      conflict: ['IST0110', 'ConflictingSidecarWorkloadSelectors'],
      unselective: ['IST0111', 'MultipleSidecarsWithoutWorkloadSelectors'],
    }),
    ...findSelectorConflicts(world.all('Telemetry'), world, {
      analyzer: 'telemetry-selector',
      selectorOf: ({ spec }) => spec.selector?.matchLabels,
      path: 'spec.selector',
      conflict: ['IST0159', 'ConflictingTelemetryWorkloadSelectors'],
      unselective: ['IST0160', 'MultipleTelemetriesWithoutWorkloadSelectors'],
    }),
    ...findAmbientSidecars(world),
    ...findPoliciesOfGateways(world),
  ];
}

/** Sidecars for workloads that have none. */
function findAmbientSidecars(world: World): Finding[] {
  const ambient = new Set(
    world
      .all('Namespace')
      .filter(({ metadata: { labels = {} } }) => {
        const isInjected = labels['istio-injection'] === 'enabled' || labels['istio.io/rev'] !== undefined;
        return labels['istio.io/dataplane-mode'] === 'ambient' && !isInjected;
      })
      .map(({ metadata }) => metadata.name),
  );
  const kind = {
    analyzer: 'sidecar-selector',
    code: 'IST0167',
    name: 'IneffectivePolicy',
    level: 'WARNING',
  } as const;
  return world
    .all('Sidecar')
    .filter(({ metadata, spec }) => {
      const labels = spec.workloadSelector?.labels;
      if (labels === undefined) return ambient.has(metadata.namespace);
      return world
        .selected(labels, metadata.namespace)
        .some(({ annotations }) => annotations['ambient.istio.io/redirection'] === 'enabled');
    })
    .map((sidecar) => finding(kind, sidecar, 'metadata.name', 'workloads in ambient mode have no sidecars'));
}

const gatewayLabel = 'gateway.networking.k8s.io/gateway-name';

/** Policies that select the workload of a gateway by labels, which gateways of the Gateway API pass over. */
function findPoliciesOfGateways(world: World): Finding[] {
  const policies = [
    ...world.all('RequestAuthentication'),
    ...world.all('AuthorizationPolicy'),
    ...world.all('WasmPlugin'),
    ...world.all('Telemetry'),
  ];
  const kind = {
    analyzer: 'policy-selector',
    code: 'IST0166',
    name: 'IneffectiveSelector',
    level: 'WARNING',
  } as const;
  return policies.flatMap((policy) => {
    const { selector, targetRef, targetRefs = [] } = policy.spec;
    if (selector?.matchLabels === undefined || targetRef !== undefined || targetRefs.length > 0) return [];
    const workloads = world.selected(selector.matchLabels, policy.metadata.namespace);
    const gateway = workloads.find(({ labels }) => labels[gatewayLabel] !== undefined)?.labels[gatewayLabel];
    if (gateway === undefined) return [];
    const message = `the selector has no effect on the gateway ${gateway}, which is of the Gateway API`;
    return [finding(kind, policy, 'spec.selector', message, 'name the Gateway in targetRefs')];
  });
}
