// The mesh of a measurement: services by number, each with as many instances.
import type { Instance } from '@heddle/control-plane';

export const servicePort = 9080;

export function namespaceOf(service: number, namespaces: number): string {
  return `ns-${service % namespaces}`;
}

export function clusterOf(service: number, namespaces: number, subset = ''): string {
  const namespace = namespaceOf(service, namespaces);
  return `outbound|${servicePort}|${subset}|svc-${service}.${namespace}.svc.cluster.local`;
}

/** `move` shifts the port, so that the endpoint is another one. */
export function instanceOf(service: number, index: number, namespaces: number, move: number): Instance {
  return {
    instance: `svc-${service}-${index}`,
    namespace: namespaceOf(service, namespaces),
    service: `svc-${service}`,
    serviceAccount: `svc-${service}`,
    servicePort,
    protocol: 'http',
    address: `10.${index}.${service >> 8}.${service & 255}`,
    port: 20_000 + move,
    labels: { app: `svc-${service}`, version: index % 2 === 0 ? 'v1' : 'v2' },
    takesTunnels: true,
    publishedAt: 0,
  };
}

/** How many services each proxy sees where it has a `Sidecar` of its own. */
export const ownServices = 50;
/** Among them one that all see. */
export const commonService = 1;

/** The services that a proxy sees by its own `Sidecar`, which are those of no other. */
export function servicesOf(proxy: number, services: number): number[] {
  const seen = new Set([commonService]);
  for (let step = 0; step < ownServices; step++) seen.add((proxy + step * (1 + (proxy % 19))) % services);
  for (let next = 0; seen.size < Math.min(ownServices, services); next++) seen.add(next);
  return [...seen];
}

/** The label by which a proxy's `Sidecar` selects it. */
export const ownLabel = 'pod';

export function sidecarOf(proxy: number, services: number, namespaces: number): object {
  const hosts = servicesOf(proxy, services).map((service) => {
    const namespace = namespaceOf(service, namespaces);
    return `${namespace}/svc-${service}.${namespace}.svc.cluster.local`;
  });
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: `pod-${proxy}`, namespace: `ns-${proxy % namespaces}` },
    spec: { workloadSelector: { labels: { [ownLabel]: `pod-${proxy}` } }, egress: [{ hosts }] },
  };
}
