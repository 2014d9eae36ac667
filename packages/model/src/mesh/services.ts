import type { DeclaredService } from './declared-service.ts';
import { defaultDomain, serviceHost } from './host-name.ts';
import type { Instance, MeshService, ServicePort, Subset } from './model.ts';

/** The services that a set of instances makes up: the ports of a service are those of all its instances. */
export function collectServices(
  instances: Iterable<Pick<Instance, 'namespace' | 'service' | 'servicePort' | 'protocol'>>,
  domain: string = defaultDomain,
): Map<string, MeshService> {
  const ports = new Map<string, { namespace: string; name: string; ports: Map<number, ServicePort> }>();
  for (const { namespace, service: name, servicePort, protocol } of instances) {
    const host = serviceHost(name, namespace, domain);
    const found = ports.get(host) ?? { namespace, name, ports: new Map<number, ServicePort>() };
    // Instances that disagree about a port's protocol: the first in the order of names counts, whichever came first.
    const known = found.ports.get(servicePort);
    if (known === undefined || protocol < known.protocol)
      found.ports.set(servicePort, { number: servicePort, protocol });
    ports.set(host, found);
  }
  const services = new Map<string, MeshService>();
  for (const [host, found] of ports) {
    const sorted = [...found.ports.values()].sort((a, b) => a.number - b.number);
    services.set(host, { namespace: found.namespace, name: found.name, host, ports: sorted });
  }
  return services;
}

/** Whether an instance belongs to a subset: it carries all of the subset's labels. A subset without labels has all instances. */
export function isInSubset(subset: Subset, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(subset.labels).every(([key, value]) => labels[key] === value);
}

/**
 * What objects say of a service that has instances of its own, as far as that counts: they may add ports and endpoints in the
 * service's own namespace, and can't make something else of it.
 */
export function countingDeclaration(
  running: MeshService | null,
  declared: DeclaredService | null,
): DeclaredService | null {
  if (running === null || declared === null) return declared;
  const isAddition =
    declared.namespace === running.namespace && declared.resolution === 'STATIC' && !declared.isExternal;
  return isAddition ? declared : null;
}

/** One service of what its instances say and what objects do; of a port that both name the instances know the protocol. */
export function joinService(
  running: MeshService | null,
  declared: DeclaredService | null,
): MeshService | null {
  if (declared === null) return running;
  const { host, namespace } = declared;
  const known = running?.ports ?? [];
  const added = declared.ports
    .filter(({ number }) => !known.some((port) => port.number === number))
    .map(({ number, protocol }): ServicePort => ({ number, protocol }));
  const ports = [...known, ...added].sort((a, b) => a.number - b.number);
  const [first = host] = host.split('.');
  const isServiceName = host.startsWith(`${first}.${namespace}.svc.`);
  return { namespace, name: isServiceName ? first : host, host, ports };
}
