// Policies that say less than their authors may think, because of the namespace they are in.
import type { ObjectMeta } from '../manifest/object.ts';
import { defaultRootNamespace } from '../mesh/host-name.ts';
import type { PeerAuthenticationSpec } from '../schema/peer-authentication.ts';
import type { Report } from './check.ts';

/** Where Istio keeps what holds for the whole mesh, unless told otherwise. */
const rootOfIstio = 'istio-system';

interface Selecting {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined;
}

function selects({ selector }: Selecting): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length > 0;
}

/** What is for the mesh elsewhere is for one namespace here. */
export function checkRootNamespace({ namespace }: ObjectMeta, spec: Selecting, report: Report): void {
  if (namespace !== rootOfIstio || selects(spec)) return;
  const message = `is for the workloads of '${rootOfIstio}' only`;
  const hint = `what holds for the whole mesh is in the namespace ${defaultRootNamespace}`;
  report.doubtful(['metadata', 'namespace'], message, hint);
}

/** As in Istio the root namespace speaks for all or for nobody. */
export function checkPeerAuthentication(
  { namespace }: ObjectMeta,
  spec: PeerAuthenticationSpec,
  report: Report,
): void {
  if (namespace !== defaultRootNamespace || !selects(spec)) return;
  const hint = 'put it into the namespace of the workloads, or leave the selector out';
  report.withoutEffect(['spec', 'selector'], `selectors in the namespace ${defaultRootNamespace}`, hint);
}
