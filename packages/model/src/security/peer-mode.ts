// Who may call a workload without a certificate of the mesh.
import type { PeerAuthentication } from './policy-index.ts';

/**
 * `STRICT`: nobody; `PERMISSIVE`: everybody, and who has a certificate shows it; `DISABLE`: everybody, and nobody shows one.
 */
export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

export interface PeerMode {
  readonly mode: MtlsMode;
  /** Of single ports. */
  readonly byPort: ReadonlyMap<number, MtlsMode>;
}

/** What holds where nothing is said. Istio's is PERMISSIVE. */
export const defaultMtlsMode: MtlsMode = 'STRICT';

/**
 * What policies for a workload, oldest first, come to: what is said of the workload goes before what is said of its
 * namespace, and that before what the root namespace says for all. Of several on one level the oldest counts. As in Istio
 * selectors in the root namespace say nothing.
 */
export function peerModeOf(policies: readonly PeerAuthentication[], rootNamespace: string): PeerMode {
  const isGeneral = ({ spec }: PeerAuthentication): boolean =>
    Object.keys(spec.selector?.matchLabels ?? {}).length === 0;
  const isOfRoot = ({ metadata }: PeerAuthentication): boolean => metadata.namespace === rootNamespace;
  const mesh = policies.find((policy) => isGeneral(policy) && isOfRoot(policy));
  const namespace = policies.find((policy) => isGeneral(policy) && !isOfRoot(policy));
  const workload = policies.find((policy) => !isGeneral(policy) && !isOfRoot(policy));
  const mode =
    [workload, namespace, mesh].map((policy) => said(policy?.spec.mtls)).find((one) => one !== null) ??
    defaultMtlsMode;
  const ports = Object.entries(workload?.spec.portLevelMtls ?? {});
  return { mode, byPort: new Map(ports.map(([port, mtls]) => [Number(port), said(mtls) ?? mode])) };
}

/** Null where it says that others say it. */
function said(mtls: PeerAuthentication['spec']['mtls']): MtlsMode | null {
  const mode = mtls?.mode ?? 'UNSET';
  return mode === 'UNSET' ? null : mode;
}

/** What callers of a service's port go by. */
export function modeForCallers({ mode, byPort }: PeerMode, servicePort: number): MtlsMode {
  return byPort.get(servicePort) ?? mode;
}

/**
 * What a workload takes at its one port, which the service and the application may call differently. Callers know the
 * service's only: what is disabled for the other one takes both.
 */
export function modeForWorkload(peer: PeerMode, servicePort: number, appPort: number): MtlsMode {
  const own = peer.byPort.get(appPort);
  if (appPort === servicePort || own === undefined) return modeForCallers(peer, servicePort);
  const called = peer.byPort.get(servicePort);
  if (called === undefined) return own === 'DISABLE' ? 'PERMISSIVE' : own;
  return own === 'STRICT' ? own : called;
}
