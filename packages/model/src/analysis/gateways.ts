// Istio's Gateways: conflicts, ports nobody reaches, hosts nobody serves (IST0101, IST0132, IST0140, IST0145, IST0162).
import { hostMatches } from '../mesh/host-name.ts';
import { destinationsOf } from './destinations.ts';
import type { Finding } from './finding.ts';
import { type FindingKind, type ObjectOfKind, type World, finding, isSelected, listOf } from './world.ts';

type Gateway = ObjectOfKind<'Gateway'>;
type Server = NonNullable<Gateway['spec']['servers']>[number];

const conflict: FindingKind = {
  analyzer: 'gateway-conflict',
  code: 'IST0145',
  name: 'ConflictingGateways',
  level: 'ERROR',
};
const noPort: FindingKind = {
  analyzer: 'gateway-port',
  code: 'IST0162',
  name: 'GatewayPortNotDefinedOnService',
  level: 'WARNING',
};
const notFound: FindingKind = {
  analyzer: 'gateway-port',
  code: 'IST0101',
  name: 'ReferencedResourceNotFound',
  level: 'ERROR',
};
const noHost: FindingKind = {
  analyzer: 'gateway-host',
  code: 'IST0132',
  name: 'VirtualServiceHostNotFoundInGateway',
  level: 'WARNING',
};
const noSubset: FindingKind = {
  analyzer: 'ingress-rule',
  code: 'IST0140',
  name: 'IngressRouteRulesNotAffected',
  level: 'WARNING',
};

export function findGatewayProblems(world: World): Finding[] {
  return [
    ...findConflicts(world),
    ...world.all('Gateway').flatMap((gateway) => findMissingPorts(gateway, world)),
    ...world.all('VirtualService').flatMap((rule) => findMissingHosts(rule, world)),
    ...findUnsubsettedRules(world),
  ];
}

/** The servers of a Gateway. Nobody may have validated it: those without a port listen nowhere. */
function serversOf({ spec }: Gateway): readonly Server[] {
  return (spec.servers ?? []).filter((server: Partial<Server>) => server.port !== undefined);
}

/** Gateways of the same workloads that listen for the same hosts at one port. */
function findConflicts(world: World): Finding[] {
  const gateways = world.all('Gateway');
  return gateways.flatMap((gateway) =>
    serversOf(gateway).flatMap((server, index) => {
      const rivals = gateways.filter(
        (other) =>
          other !== gateway && haveSharedWorkload(gateway, other, world) && hasSuchServer(other, server),
      );
      if (rivals.length === 0) return [];
      const names = listOf(rivals.map(({ metadata }) => metadata.name));
      const message = `port ${server.port.number} and ${listOf(server.hosts)} are also ${names}'s`;
      return [
        finding(conflict, gateway, `spec.servers[${index}]`, message, 'put the servers into one Gateway'),
      ];
    }),
  );
}

function haveSharedWorkload(a: Gateway, b: Gateway, world: World): boolean {
  const [one, other] = [a.spec.selector ?? {}, b.spec.selector ?? {}];
  const isSame = Object.keys(one).length === Object.keys(other).length && isSelected(one, other);
  if (isSame) return true;
  const workloads = new Set(world.selected(one));
  return world.selected(other).some((workload) => workloads.has(workload));
}

function hasSuchServer(gateway: Gateway, { port, hosts, bind }: Server): boolean {
  return serversOf(gateway).some(
    (other) =>
      other.port.number === port.number &&
      other.bind === bind &&
      other.hosts.some((host) => hosts.some((mine) => hostMatches(host, mine) || hostMatches(mine, host))),
  );
}

/** Ports at which no Service leads to the gateway's workloads. */
function findMissingPorts(gateway: Gateway, world: World): Finding[] {
  if (world.workloads.length === 0) return [];
  const workloads = world.selected(gateway.spec.selector ?? {});
  if (workloads.length === 0) {
    return [finding(notFound, gateway, 'spec.selector', 'no workload has the labels of the selector')];
  }
  const services = world.all('Service').filter(({ metadata, spec }) => {
    const selector = spec.selector ?? {};
    return (
      Object.keys(selector).length > 0 &&
      workloads.some((found) => world.selected(selector, metadata.namespace).includes(found))
    );
  });
  const ports = new Set(
    services.flatMap(({ spec }) => spec.ports ?? []).flatMap(({ port, targetPort }) => [port, targetPort]),
  );
  return serversOf(gateway).flatMap(({ port }, index) => {
    if (ports.has(port.number)) return [];
    const message = `no Service leads to port ${port.number} of the gateway's workloads`;
    return [finding(noPort, gateway, `spec.servers[${index}].port.number`, message)];
  });
}

type Rule = ObjectOfKind<'VirtualService'>;

function findMissingHosts(rule: Rule, world: World): Finding[] {
  return (rule.spec.gateways ?? []).flatMap((written, index) => {
    if (written === 'mesh') return [];
    const path = `spec.gateways[${index}]`;
    const [name = '', namespace = rule.metadata.namespace] = written.split('/').toReversed();
    const gateway = world
      .all('Gateway')
      .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    if (gateway === undefined) {
      const kind = Object.assign({}, notFound, { analyzer: 'gateway-host' as const });
      return [finding(kind, rule, path, `there is no Gateway ${namespace}/${name}`)];
    }
    const hosts = serversOf(gateway).flatMap((server) => server.hosts);
    const served = hosts.flatMap((host) => servedFor(host, rule.metadata.namespace, namespace));
    const isServed = (rule.spec.hosts ?? []).some((host) =>
      served.some((pattern) => hostMatches(pattern, host) || hostMatches(host, pattern)),
    );
    if (isServed) return [];
    const message = `the Gateway ${namespace}/${name} serves none of ${listOf(rule.spec.hosts ?? [])}`;
    return [finding(noHost, rule, path, message, `its hosts are ${listOf(hosts)}`)];
  });
}

/** A host of a Gateway, where it is for rules of this namespace: `ns/host`, `./host`, `*` + `/host`. */
function servedFor(host: string, ruleNamespace: string, gatewayNamespace: string): string[] {
  const slash = host.indexOf('/');
  if (slash < 0) return [host];
  const namespace = host.slice(0, slash);
  const isFor =
    namespace === '*' ||
    namespace === ruleNamespace ||
    (namespace === '.' && ruleNamespace === gatewayNamespace);
  return isFor ? [host.slice(slash + 1)] : [];
}

/** Rules of a gateway for a host whose subsets rules of the mesh choose: those do not count at the gateway. */
function findUnsubsettedRules(world: World): Finding[] {
  const rules = world.all('VirtualService');
  const subsetted = new Set(
    rules
      .filter(({ spec }) => spec.gateways === undefined || spec.gateways.includes('mesh'))
      .filter((rule) => destinationsOf(rule).some(({ destination }) => (destination.subset ?? '') !== ''))
      .flatMap((rule) => (rule.spec.hosts ?? []).map((host) => world.hostOf(host, rule))),
  );
  return rules
    .filter(({ spec }) => spec.gateways !== undefined && !spec.gateways.includes('mesh'))
    .flatMap((rule) =>
      destinationsOf(rule).flatMap(({ destination: { host, subset = '' }, path }) => {
        if (subset !== '' || !subsetted.has(world.hostOf(host, rule))) return [];
        const message = `at a gateway no subset of ${host} is chosen by the rules that the mesh has for it`;
        return [finding(noSubset, rule, path, message, 'name the subset here')];
      }),
    );
}
