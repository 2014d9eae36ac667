// References that lead nowhere: hosts, ports and subsets that do not exist (IST0101, IST0112).
import { nearestName } from '@heddle/base';
import { type MeshObject, type VirtualService, keyOf } from '../manifest/object.ts';
import { mergeSubsets } from '../mesh/compile-host.ts';
import { expandHost } from '../mesh/host-name.ts';
import type { MeshService } from '../mesh/model.ts';
import { applicableRules, hostsOf } from '../mesh/object-index.ts';
import type { Destination } from '../schema/virtual-service.ts';
import type { AnalysisContext } from './analyze.ts';
import { destinationsOf } from './destinations.ts';
import type { Analyzer, Finding } from './finding.ts';

function notFound(
  object: MeshObject,
  analyzer: Analyzer,
  path: string,
  message: string,
  hint: string | undefined,
): Finding {
  return {
    object: keyOf(object),
    analyzer,
    code: 'IST0101',
    name: 'ReferencedResourceNotFound',
    level: 'ERROR',
    message,
    ...(hint === undefined ? {} : { hint }),
    path,
  };
}

/** Destinations whose host, port or subset does not exist. */
export function findMissingDestinations(object: VirtualService, context: AnalysisContext): Finding[] {
  return destinationsOf(object).flatMap(({ destination, path }) =>
    findMissingDestination(object, destination, path, context),
  );
}

function findMissingDestination(
  object: VirtualService,
  destination: Destination,
  path: string,
  context: AnalysisContext,
): Finding[] {
  const findings: Finding[] = [];
  const host = expandHost(destination.host, object.metadata.namespace, context.domain);
  const service = context.services.get(host);
  if (!context.knowsHost(host, object.metadata.namespace)) {
    const message = `the host ${name(destination.host, host)} does not exist`;
    findings.push(
      notFound(
        object,
        'destination-host',
        `${path}.host`,
        message,
        hostHint(destination.host, host, context),
      ),
    );
  } else if (service !== undefined) {
    findings.push(...findMissingPort(object, destination, service, path));
  }
  const subset = destination.subset ?? '';
  if (subset !== '') findings.push(...findMissingSubset(object, host, subset, `${path}.subset`, context));
  return findings;
}

function findMissingPort(
  object: VirtualService,
  destination: Destination,
  service: MeshService,
  path: string,
): Finding[] {
  const numbers = service.ports.map(({ number }) => number);
  const wanted = destination.port?.number;
  const known = numbers.join(', ');
  if (wanted !== undefined) {
    if (numbers.includes(wanted)) return [];
    const message = `the host ${service.host} has no port ${wanted}`;
    return [notFound(object, 'destination-host', `${path}.port.number`, message, `its ports are ${known}`)];
  }
  if (numbers.length < 2) return [];
  return [
    {
      object: keyOf(object),
      analyzer: 'destination-host',
      code: 'IST0112',
      name: 'VirtualServiceDestinationPortSelectorRequired',
      level: 'ERROR',
      message: `the host ${service.host} has the ports ${known}, and the destination names none of them`,
      hint: 'name the port, or requests keep the port they came to',
      path,
    },
  ];
}

/** A subset is looked up as the clients of the rule's own namespace and all others would. */
function findMissingSubset(
  object: VirtualService,
  host: string,
  subset: string,
  path: string,
  context: AnalysisContext,
): Finding[] {
  const candidates = context.index.destinationRules(host);
  const serviceNamespace = context.services.get(host)?.namespace ?? namespaceOf(host, context.domain);
  const subsets = [object.metadata.namespace, ''].flatMap((namespace) =>
    mergeSubsets(applicableRules(candidates, namespace, serviceNamespace, context.rootNamespace)),
  );
  if (subsets.some((known) => known.name === subset)) return [];
  const known = [...new Set(subsets.map((found) => found.name))];
  const near = nearestName(subset, known);
  let hint =
    known.length === 0
      ? 'a DestinationRule for the host defines subsets'
      : `its subsets are ${known.join(', ')}`;
  if (near !== undefined) hint = `did you mean '${near}'?`;
  const message = `the host ${host} has no subset '${subset}'`;
  return [notFound(object, 'destination-subset', path, message, hint)];
}

/** The namespace that a host in the mesh's domain says it is in, for services of which no instance runs. */
function namespaceOf(host: string, domain: string): string | undefined {
  const suffix = `.svc.${domain}`;
  if (!host.endsWith(suffix)) return undefined;
  return host.slice(0, -suffix.length).split('.')[1];
}

/**
 * Hosts that an object is about and that do not exist. Only names in the mesh's domain: any other may be a name that the
 * object itself gives. A host that is a destination too is complained about there.
 */
export function findMissingHosts(object: MeshObject, context: AnalysisContext): Finding[] {
  const isVirtualService = object.kind === 'VirtualService';
  const destinations = new Set<string>();
  for (const { destination } of isVirtualService ? destinationsOf(object) : []) {
    destinations.add(expandHost(destination.host, object.metadata.namespace, context.domain));
  }
  return hostsOf(object, context.domain).flatMap((host, index) => {
    const isOurs = namespaceOf(host, context.domain) !== undefined && !host.startsWith('*');
    if (!isOurs || destinations.has(host) || context.knowsHost(host, object.metadata.namespace)) return [];
    const written = isVirtualService
      ? object.spec.hosts![index]!
      : object.kind === 'DestinationRule'
        ? object.spec.host
        : '';
    const path = isVirtualService ? `spec.hosts[${index}]` : 'spec.host';
    const message = `the host ${name(written, host)} does not exist`;
    return [notFound(object, 'rule-host', path, message, hostHint(written, host, context))];
  });
}

function name(written: string, host: string): string {
  return written.toLowerCase() === host ? host : `'${written}' (${host})`;
}

function hostHint(written: string, host: string, context: AnalysisContext): string | undefined {
  if (written.includes('.')) {
    // `reviews.prod` looks like a short name and isn't one.
    const full = `${host}.svc.${context.domain}`;
    if (context.services.has(full)) return `write ${full}; only names without a dot are completed`;
  }
  const near = nearestHost(host, [...context.services.keys()]);
  return near === undefined ? 'no instance of such a service has been registered' : `did you mean ${near}?`;
}

/** A known host of which one label is a little different: what both share, such as the domain, is no resemblance. */
function nearestHost(host: string, known: readonly string[]): string | undefined {
  const labels = host.split('.');
  for (const [index, label] of labels.entries()) {
    const siblings = known
      .map((other) => other.split('.'))
      .filter((other) => other.length === labels.length && other.with(index, label).join('.') === host)
      .map((other) => other[index]!);
    const near = nearestName(label, siblings);
    if (near !== undefined) return labels.with(index, near).join('.');
  }
  return undefined;
}
