// Kubernetes' Services and what they lead to (IST0116, IST0118, IST0137, IST0150, IST0173).
import type { Finding } from './finding.ts';
import { type ObjectOfKind, type World, finding, isSelected, listOf } from './world.ts';

type Service = ObjectOfKind<'Service'>;
type Port = NonNullable<Service['spec']['ports']>[number];

const protocols = new Set(
  'grpc grpc-web http http_proxy http2 https hbone mongo mysql redis tcp tls udp'.split(' '),
);
const systemNamespaces = new Set(['istio-system', 'kube-system', 'kube-public', 'kube-node-lease']);

export function findServiceProblems(world: World): Finding[] {
  return [
    ...world.all('Service').flatMap(findUnnamedPorts),
    ...findContestedWorkloads(world),
    ...findEmptySubsets(world),
  ];
}

function isKnownProtocol({ name = '', appProtocol, protocol }: Port): boolean {
  if (protocol === 'UDP' || (appProtocol ?? '') !== '') return true;
  return name.startsWith('grpc-web') || protocols.has(name.split('-')[0]!.toLowerCase());
}

/** Ports whose protocol nobody says. */
function findUnnamedPorts(service: Service): Finding[] {
  const { namespace, labels = {} } = service.metadata;
  if (systemNamespaces.has(namespace) || labels['gateway.istio.io/managed'] !== undefined) return [];
  return (service.spec.ports ?? []).flatMap((port, index) => {
    if (isKnownProtocol(port)) return [];
    const path = `spec.ports[${index}]`;
    const said = (port.name ?? '') === '' ? 'has no name' : `is named ${port.name!}`;
    const message = `port ${port.port} ${said}, which says no protocol`;
    const hint = 'name it such as http, http-web or tcp-db, or set appProtocol';
    const isExternal = service.spec.type === 'ExternalName';
    const kind = isExternal
      ? ({ code: 'IST0150', name: 'ExternalNameServiceTypeInvalidPortName', level: 'WARNING' } as const)
      : ({ code: 'IST0118', name: 'PortNameIsNotUnderNamingConvention', level: 'INFO' } as const);
    return [finding({ analyzer: 'port-name', ...kind }, service, path, message, hint)];
  });
}

/** Deployments to which several Services lead that contradict each other. */
function findContestedWorkloads(world: World): Finding[] {
  return world.all('Deployment').flatMap((deployment) => {
    const { labels, annotations } = deployment.spec.template?.metadata ?? {};
    if (annotations?.['sidecar.istio.io/inject'] === 'false') return [];
    const services = world.all('Service').filter(({ metadata, spec }) => {
      const selector = spec.selector ?? {};
      const isNear = metadata.namespace === deployment.metadata.namespace;
      return isNear && Object.keys(selector).length > 0 && isSelected(selector, labels ?? {});
    });
    const ports = services.flatMap(({ spec }) => spec.ports ?? []);
    const names = listOf(services.map(({ metadata }) => metadata.name));
    const about = { analyzer: 'service-conflict', level: 'WARNING' } as const;
    const protocol = contested(
      ports,
      ({ port }) => port,
      (port) => port.protocol,
    );
    const target = contested(
      ports,
      ({ targetPort }) => targetPort,
      ({ port }) => port,
    );
    const byProtocol = protocol.map((port) => {
      const kind = { ...about, code: 'IST0116', name: 'DeploymentAssociatedToMultipleServices' };
      return finding(kind, deployment, 'metadata.name', `${names} give port ${port} different protocols`);
    });
    const byTarget = target.map((port) => {
      const kind = { ...about, code: 'IST0137', name: 'DeploymentConflictingPorts' };
      return finding(
        kind,
        deployment,
        'metadata.name',
        `${names} lead to its port ${port} from different ports`,
      );
    });
    return byProtocol.concat(byTarget);
  });
}

/** Keys that come with more than one value. */
function contested(
  ports: readonly Port[],
  keyOf: (port: Port) => string | number | undefined,
  valueOf: (port: Port) => unknown,
): (string | number)[] {
  const values = new Map<string | number, Set<unknown>>();
  for (const port of ports) {
    const key = keyOf(port);
    if (key === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, new Set([valueOf(port)]));
    else known.add(valueOf(port));
  }
  return [...values].filter(([, found]) => found.size > 1).map(([key]) => key);
}

/** Subsets whose labels no workload of the service has. */
function findEmptySubsets(world: World): Finding[] {
  const kind = {
    analyzer: 'subset-workloads',
    code: 'IST0173',
    name: 'DestinationRuleSubsetNotSelectPods',
    level: 'WARNING',
  } as const;
  if (world.workloads.length === 0) return [];
  return world.all('DestinationRule').flatMap((rule) => {
    const host = world.hostOf(rule.spec.host, rule);
    const service = world
      .all('Service')
      .find(({ metadata }) => host === `${metadata.name}.${metadata.namespace}.svc.${world.domain}`);
    const selector = service?.spec.selector ?? {};
    if (service === undefined || Object.keys(selector).length === 0) return [];
    return (rule.spec.subsets ?? []).flatMap(({ name, labels = {} }, index) => {
      const own = Object.fromEntries(
        Object.entries(labels).filter(([label]) => !label.startsWith('topology.')),
      );
      const wanted = { ...selector, ...own };
      if (world.selected(wanted, service.metadata.namespace).length > 0) return [];
      if (Object.keys(own).length === 0 && Object.keys(labels).length > 0) return [];
      const message = `no workload of ${host} has the labels of the subset ${name}`;
      return [finding(kind, rule, `spec.subsets[${index}].labels`, message)];
    });
  });
}
