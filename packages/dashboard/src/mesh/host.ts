import type { ObjectWithStatus } from '../generated/api.ts';
import { asList, asRecord, asText } from './field.ts';

/** A service as far as matching hosts needs to know it. */
export interface ServiceHost {
  readonly name: string;
  readonly namespace: string;
  /** Fully qualified. */
  readonly host: string;
}

/**
 * How an object concerns a service. `governs`: it names the service as its host. `leads-here`: one of its routes has the
 * service as destination.
 */
export type Relation = 'governs' | 'leads-here';

/** How a VirtualService or DestinationRule concerns a service; null where it does not. */
export function relationOf(object: ObjectWithStatus, service: ServiceHost): Relation | null {
  const domain = domainOf(service);
  const namesIt = (host: unknown): boolean =>
    hostMatches(expandHost(asText(host), object.metadata.namespace, domain), service.host);
  const hosts = object.kind === 'DestinationRule' ? [object.spec.host] : asList(object.spec.hosts);
  if (hosts.some(namesIt)) return 'governs';
  for (const http of asList(object.spec.http)) {
    const route = asRecord(http);
    const targets = [...asList(route.route), ...asList(route.mirrors).map(asRecord)];
    if (targets.some((target) => namesIt(asRecord(asRecord(target).destination).host))) return 'leads-here';
    if (namesIt(asRecord(route.mirror).host)) return 'leads-here';
  }
  return null;
}

/** A short name belongs to the namespace of the object that uses it; a name with dots is what it says. */
export function expandHost(host: string, namespace: string, domain: string): string {
  return host === '' || host === '*' || host.includes('.') ? host : `${host}.${namespace}.svc.${domain}`;
}

function domainOf(service: ServiceHost): string {
  const prefix = `${service.name}.${service.namespace}.svc.`;
  return service.host.startsWith(prefix) ? service.host.slice(prefix.length) : 'cluster.local';
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}

/** The hosts that an object is about, as it names them. */
export function hostsOf(object: ObjectWithStatus): string[] {
  return object.kind === 'DestinationRule'
    ? [asText(object.spec.host)]
    : asList(object.spec.hosts).map(asText);
}
