/** Names of resources. A sidecar asks for its route configurations by names that say all that is needed to make them. */

/** Requests to hosts that the mesh does not know go to where their authority points. */
export const passthroughCluster = 'PassthroughCluster';
/** The workload's own certificate: made and kept in the sidecar, never sent. */
export const certificateSecret = 'default';
/** The trust bundle. */
export const trustBundleSecret = 'ROOTCA';

/** The cluster of a sidecar's own application. */
export function inboundClusterName(servicePort: number): string {
  return `inbound|${servicePort}||`;
}

/** The routes of the listener that `HTTP_PROXY` names. */
export function proxyRoutesName(namespace: string): string {
  return `http-proxy|${namespace}`;
}

/** The routes of a listener for one dependency. */
export function upstreamRoutesName(host: string, port: number, namespace: string): string {
  return `upstream|${host}|${port}|${namespace}`;
}

/** What a route configuration's name asks for. */
export type RoutesName =
  | { readonly kind: 'http-proxy'; readonly namespace: string }
  | { readonly kind: 'upstream'; readonly host: string; readonly port: number; readonly namespace: string };

/** Reads a route configuration's name; undefined where it is none of ours. */
export function parseRoutesName(name: string): RoutesName | undefined {
  const [kind, ...parts] = name.split('|');
  if (kind === 'http-proxy') {
    const [namespace, ...rest] = parts;
    if (namespace === undefined || namespace === '' || rest.length > 0) return undefined;
    return { kind, namespace };
  }
  if (kind !== 'upstream' || parts.length !== 3) return undefined;
  const [host = '', port = '', namespace = ''] = parts;
  if (host === '' || namespace === '' || !/^\d{1,5}$/.test(port)) return undefined;
  return { kind, host, port: Number(port), namespace };
}
