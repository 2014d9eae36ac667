// What the simulated mesh consists of: ten services in two namespaces, five instances of each, in three versions.
import type { SeededRandom } from '@heddle/testkit';

/** One instance of a service: an application and its sidecar on a node of their own. */
export interface InstancePlan {
  /** Such as `c-v2-1`; also the name of its node. */
  readonly id: string;
  readonly service: string;
  readonly namespace: string;
  readonly version: string;
  /** Where others reach it. */
  readonly address: string;
  /** Services with a loopback listener of their own in this instance's sidecar, by host. */
  readonly upstreams: readonly string[];
}

export const ports = {
  /** The same for every service. */
  service: 9080,
  inbound: 20_000,
  /** What `HTTP_PROXY` would name. */
  outboundProxy: 21_000,
  firstUpstream: 22_000,
  application: 30_000,
} as const;

export const controlPlaneAddress = { host: '10.0.255.1', port: 15_012 } as const;
export const trustDomain = 'cluster.local';

/** Versions of every service, one entry per instance: those of which there are two may lose one. */
const versionsOfInstances = ['v1', 'v1', 'v2', 'v2', 'v3'] as const;
export const versions = ['v1', 'v2', 'v3'] as const;
export const versionWithOneInstance = 'v3';

/** `service.namespace` of every service. */
export const serviceNames: readonly string[] = [
  ...['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.default`),
  ...['f', 'g', 'h', 'i', 'j'].map((name) => `${name}.shop`),
];

export function hostOf(serviceName: string): string {
  return `${serviceName}.svc.${trustDomain}`;
}

export function spiffeIdOf(namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The instances, in a fixed order; which upstream listeners they have is drawn. */
export function planInstances(random: SeededRandom): InstancePlan[] {
  return serviceNames.flatMap((serviceName, serviceIndex) => {
    const [service = '', namespace = ''] = serviceName.split('.');
    return versionsOfInstances.map((version, index) => {
      const earlier = versionsOfInstances.slice(0, index).filter((other) => other === version).length;
      const upstreams = new Set([random.pick(serviceNames), random.pick(serviceNames)]);
      return {
        id: `${service}-${version}-${earlier + 1}`,
        service,
        namespace,
        version,
        address: `10.0.${serviceIndex + 1}.${index + 1}`,
        upstreams: [...upstreams].map(hostOf),
      };
    });
  });
}
