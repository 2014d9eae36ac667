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
