/** Names of resources. A sidecar asks for its route configurations by names that say all that is needed to make them. */

/** Requests to hosts that the mesh does not know go to where their authority points. */
export const passthroughCluster = 'PassthroughCluster';
/** Intercepted connections and requests to what the mesh does not know go where their callers have sent them. */
export const originalDestinationCluster = 'OriginalDestinationCluster';

/** Without endpoints: what goes there goes nowhere. */
export const blackHoleCluster = 'BlackHoleCluster';

/** The same for what comes in, which needs a source of its own family. */
export interface PassthroughFamily {
  readonly name: string;
  /** Matches every address of the family. */
  readonly network: string;
  readonly source: string;
}

export const passthroughFamilies: readonly PassthroughFamily[] = [
  { name: 'InboundPassthroughClusterIpv4', network: '0.0.0.0', source: '127.0.0.6' },
  { name: 'InboundPassthroughClusterIpv6', network: '::', source: '::6' },
];

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

/** The routes of the listener that the packet filter leads programs' connections to. */
export function interceptedRoutesName(namespace: string): string {
  return `intercepted|${namespace}`;
}

/** The listener for one dependency. */
export function upstreamListenerName(host: string, port: number): string {
  return `upstream|${host}|${port}`;
}

/** The routes of a listener for one dependency. */
export function upstreamRoutesName(host: string, port: number, namespace: string): string {
  return `upstream|${host}|${port}|${namespace}`;
}

/** What a route configuration's name asks for. */
export type RoutesName =
  | { readonly kind: 'http-proxy' | 'intercepted'; readonly namespace: string }
  | { readonly kind: 'upstream'; readonly host: string; readonly port: number; readonly namespace: string };

/** Reads a route configuration's name; undefined where it is none of ours. */
export function parseRoutesName(name: string): RoutesName | undefined {
  const [kind, ...parts] = name.split('|');
  if (kind === 'http-proxy' || kind === 'intercepted') {
    const [namespace, ...rest] = parts;
    if (namespace === undefined || namespace === '' || rest.length > 0) return undefined;
    return { kind, namespace };
  }
  if (kind !== 'upstream' || parts.length !== 3) return undefined;
  const [host = '', port = '', namespace = ''] = parts;
  if (host === '' || namespace === '' || !/^\d{1,5}$/.test(port)) return undefined;
  return { kind, host, port: Number(port), namespace };
}

/** The host in the name of a cluster, as `clusterName` puts it there. */
export function hostOfCluster(name: string): string {
  return name.slice(name.lastIndexOf('|') + 1);
}
