// Names of hosts: short names, wildcards, the names clusters are known by.

/** The DNS domain of services unless told otherwise. */
export const defaultDomain = 'cluster.local';

/** The namespace whose DestinationRules hold for the whole mesh. */
export const defaultRootNamespace = 'heddle-system';

/** The host of a service. */
export function serviceHost(name: string, namespace: string, domain: string = defaultDomain): string {
  return `${name}.${namespace}.svc.${domain}`;
}

/**
 * The full name of a host as an object in `namespace` writes it. As in Istio only a name without any dot is a short name:
 * `reviews.prod` is left as it is.
 */
export function expandHost(host: string, namespace: string, domain: string = defaultDomain): string {
  const name = host.toLowerCase();
  return name.includes('.') || name.includes(':') || name === '*'
    ? name
    : serviceHost(name, namespace, domain);
}

/** Whether a host, or a pattern with a leading `*`, covers `host`. Both are full names. */
export function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith('*')
    ? host.length >= pattern.length && host.endsWith(pattern.slice(1))
    : pattern === host;
}

/** Orders patterns that match the same host: the exact name before wildcards, long wildcards before short ones. */
export function comparePatterns(a: string, b: string): number {
  return Number(a.startsWith('*')) - Number(b.startsWith('*')) || b.length - a.length;
}

/** Every name by which a client in `namespace` may ask for a host, the full one first. Ports are the caller's. */
export function hostAliases(
  service: { readonly name: string; readonly namespace: string; readonly host: string },
  namespace: string,
): string[] {
  const { name, namespace: home, host } = service;
  if (!host.startsWith(`${name}.${home}.svc.`)) return [host];
  return [host, `${name}.${home}.svc`, `${name}.${home}`, ...(home === namespace ? [name] : [])];
}

/** Istio's and Heddle's name of the cluster of a destination. */
export function clusterName(port: number, subset: string, host: string): string {
  return `outbound|${port}|${subset}|${host}`;
}
