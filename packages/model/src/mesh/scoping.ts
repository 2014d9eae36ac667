// What proxies may reach: Sidecars, and the mesh's settings where they are silent.
import type { ObjectKey, StoredObject } from '../manifest/object.ts';
import { formatKey, keyOf } from '../manifest/object.ts';
import type { ObjectOf } from './read-declarations.ts';
import { type WorkloadLabels, isSelectedBy } from './declared-service.ts';
import { hostMatches } from './host-name.ts';
import type { HostView, MeshHost } from './model.ts';
import { type MeshSettings, defaultMeshSettings } from './mesh-settings.ts';

/** `namespace/host` of a Sidecar's egress, with the proxy's own namespace in the place of the dot. */
export interface EgressPattern {
  /** `*` for every one. */
  readonly namespace: string;
  /** A full name, a wildcard, or `*`. */
  readonly host: string;
  /** Takes hosts away that others bring. */
  readonly isExclusion: boolean;
}

/** What decides what a proxy is sent: proxies with one key see the same. */
export interface ProxyScope {
  readonly key: string;
  readonly namespace: string;
  /** The Sidecar that says so; null for none. */
  readonly sidecar: ObjectKey | null;
  /** Null for every host. */
  readonly egress: readonly EgressPattern[] | null;
  /** Requests to hosts that the proxy does not know go nowhere. */
  readonly isRegistryOnly: boolean;
}

type Sidecar = ObjectOf<'Sidecar'>;

interface NamespaceSidecars {
  /** For workloads that no other selects. */
  common: Sidecar | null;
  /** By one of the labels that they ask for, in the order of their age. */
  readonly byLabel: Map<string, Sidecar[]>;
}

/** All Sidecars of a mesh at one revision. */
export class Scoping {
  readonly settings: MeshSettings;
  readonly #rootNamespace: string;
  readonly #byNamespace = new Map<string, NamespaceSidecars>();

  constructor(
    rootNamespace: string,
    sidecars: readonly StoredObject[] = [],
    settings: MeshSettings = defaultMeshSettings,
  ) {
    this.#rootNamespace = rootNamespace;
    this.settings = settings;
    const byAge = [...sidecars].sort(
      (a, b) =>
        a.createdRevision - b.createdRevision ||
        (formatKey(keyOf(a.object)) < formatKey(keyOf(b.object)) ? -1 : 1),
    );
    for (const { object } of byAge) if (object.kind === 'Sidecar') this.#add(object);
  }

  /** What a workload's proxy may reach. */
  resolve(namespace: string, labels: Readonly<Record<string, string>>): ProxyScope {
    const sidecar =
      this.#selecting(namespace, labels) ??
      this.#byNamespace.get(namespace)?.common ??
      this.#byNamespace.get(this.#rootNamespace)?.common ??
      null;
    const egress = sidecar === null ? null : patternsOf(sidecar, namespace);
    const written = sidecar?.spec.outboundTrafficPolicy;
    // Whoever writes a policy without a mode means the first of the modes, as in Istio.
    const isRegistryOnly =
      written === undefined ? this.settings.isRegistryOnly : written.mode !== 'ALLOW_ANY';
    return {
      key: JSON.stringify([namespace, isRegistryOnly, egress]),
      namespace,
      sidecar: sidecar === null ? null : keyOf(sidecar),
      egress,
      isRegistryOnly,
    };
  }

  #selecting(namespace: string, labels: WorkloadLabels): Sidecar | undefined {
    const byLabel = this.#byNamespace.get(namespace)?.byLabel;
    if (byLabel === undefined || byLabel.size === 0) return undefined;
    const candidates = Object.entries(labels).flatMap(([key, value]) => byLabel.get(`${key}=${value}`) ?? []);
    return candidates.find(({ spec }) => isSelectedBy(spec.workloadSelector?.labels ?? {}, labels));
  }

  #add(sidecar: Sidecar): void {
    const { namespace } = sidecar.metadata;
    let known = this.#byNamespace.get(namespace);
    if (known === undefined) {
      known = { common: null, byLabel: new Map() };
      this.#byNamespace.set(namespace, known);
    }
    const [label] = Object.entries(sidecar.spec.workloadSelector?.labels ?? {});
    if (label === undefined) {
      known.common ??= sidecar;
      return;
    }
    const text = label.join('=');
    const others = known.byLabel.get(text);
    if (others === undefined) known.byLabel.set(text, [sidecar]);
    else others.push(sidecar);
  }
}

/** Null where nothing is narrowed down. */
function patternsOf({ spec }: Sidecar, namespace: string): EgressPattern[] | null {
  const written = (spec.egress ?? []).flatMap(({ hosts }) => hosts);
  if (spec.egress === undefined || spec.egress.length === 0 || written.includes('*/*')) {
    const exclusions = written.filter(isExclusion);
    if (exclusions.length === 0) return null;
  }
  const patterns = new Map<string, EgressPattern>();
  for (const text of written) {
    const pattern = readPattern(text, namespace);
    if (pattern !== null) patterns.set(JSON.stringify(pattern), pattern);
  }
  return [...patterns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pattern]) => pattern);
}

function isExclusion(text: string): boolean {
  return text.startsWith('~') && !text.startsWith('~/');
}

function readPattern(text: string, own: string): EgressPattern | null {
  const slash = text.indexOf('/');
  if (slash < 0 || text.startsWith('~/')) return null;
  const isExcluded = isExclusion(text);
  const written = text.slice(isExcluded ? 1 : 0, slash);
  const host = text.slice(slash + 1).toLowerCase();
  return { namespace: written === '.' ? own : written, host, isExclusion: isExcluded };
}

/** Whether a Sidecar's egress covers a host as clients see it. */
export function isCovered(
  egress: readonly EgressPattern[] | null,
  host: Pick<MeshHost, 'host' | 'service'>,
  view: HostView,
): boolean {
  if (egress === null) return true;
  const home = view.declared?.namespace ?? host.service?.namespace ?? view.virtualService?.namespace ?? '';
  const isMeant = (pattern: EgressPattern): boolean =>
    (pattern.namespace === '*' || pattern.namespace === home) && hostMatches(pattern.host, host.host);
  const isWanted = egress.some((pattern) => !pattern.isExclusion && isMeant(pattern));
  return isWanted && !egress.some((pattern) => pattern.isExclusion && isMeant(pattern));
}
