import type { EndpointSummary, ProxySummary } from '../generated/api.ts';

/** An instance as the registry and the configuration stream know it; at least one of the two does. */
export interface InstanceRow {
  readonly instance: string;
  readonly service: string;
  readonly namespace: string;
  readonly version: string;
  readonly identity: string;
  /** Null for a proxy whose application takes no requests (yet). */
  readonly endpoint: EndpointSummary | null;
  /** Null for an instance whose sidecar is not connected at the moment. */
  readonly proxy: ProxySummary | null;
}

/** Joins what is published with what is connected, by the instance's id. */
export function joinInstances(
  endpoints: readonly EndpointSummary[],
  proxies: readonly ProxySummary[],
): InstanceRow[] {
  const unmatched = new Map(proxies.map((proxy) => [proxy.instance, proxy]));
  const rows: InstanceRow[] = endpoints.map((endpoint) => {
    const proxy = unmatched.get(endpoint.instance) ?? null;
    unmatched.delete(endpoint.instance);
    const { instance, service, namespace, version, identity } = endpoint;
    return { instance, service, namespace, version, identity, endpoint, proxy };
  });
  for (const proxy of unmatched.values()) {
    const { instance, service, namespace, version, identity } = proxy;
    rows.push({ instance, service, namespace, version, identity, endpoint: null, proxy });
  }
  return rows;
}
