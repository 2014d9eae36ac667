import { RpcCode, type RpcStatus, type XdsClient } from '@heddle/xds';
import { readSidecarNode } from '../compile/node-metadata.ts';
import { workloadOf } from './workload-peer.ts';

/**
 * Decides about an xDS client: what it says of itself must be what its certificate proves, because namespace and service
 * account choose what it is sent. Null lets it in.
 */
export function admitNode({ node, peer }: XdsClient, trustDomain: string): RpcStatus | null {
  const read = readSidecarNode(node);
  if (!read.ok) return { code: RpcCode.invalidArgument, message: `The node cannot be used: ${read.error}.` };
  const workload = workloadOf(peer);
  const { namespace, serviceAccount } = read.value;
  const isSame =
    workload !== undefined &&
    workload.trustDomain === trustDomain &&
    workload.namespace === namespace &&
    (serviceAccount === '' || workload.serviceAccount === serviceAccount) &&
    idFits(node.id, namespace);
  if (isSame) return null;
  return {
    code: RpcCode.permissionDenied,
    message: `The node ${JSON.stringify(node.id)} says that it is ${namespace}/${serviceAccount}, but its certificate is that of ${peer.identity}.`,
  };
}

/** `sidecar~<instance>~<service>.<namespace>~<namespace>.svc.<domain>`, as Istio's; ids of another form say nothing. */
function idFits(id: string, namespace: string): boolean {
  const [, , workload, domain, ...rest] = id.split('~');
  if (workload === undefined || domain === undefined || rest.length > 0) return true;
  return workload.endsWith(`.${namespace}`) && domain.startsWith(`${namespace}.svc.`);
}
