// ServiceEntries that connections can't be told apart by (IST0134), or that contradict each other (IST0177).
import type { Finding } from './finding.ts';
import { type World, finding, listOf } from './world.ts';

export function findServiceEntryProblems(world: World): Finding[] {
  return [...findMissingAddresses(world), ...findContradictions(world)];
}

function findMissingAddresses(world: World): Finding[] {
  const config = world.meshConfig['defaultConfig'] as { proxyMetadata?: Record<string, string> } | undefined;
  const metadata = config?.proxyMetadata ?? {};
  const isAllocated = ['ISTIO_META_DNS_CAPTURE', 'ISTIO_META_DNS_AUTO_ALLOCATE'].every(
    (name) => metadata[name] === 'true',
  );
  if (isAllocated) return [];
  const kind = {
    analyzer: 'service-entry-address',
    code: 'IST0134',
    name: 'ServiceEntryAddressesRequired',
    level: 'WARNING',
  } as const;
  return world.all('ServiceEntry').flatMap((entry) => {
    if ((entry.spec.addresses ?? []).length > 0) return [];
    return (entry.spec.ports ?? []).flatMap(({ protocol = '', number }, index) => {
      if (!['', 'TCP'].includes(protocol.toUpperCase())) return [];
      const message = `connections to port ${number} are known by their address only, and there is none`;
      return [finding(kind, entry, `spec.ports[${index}]`, message, 'give the ServiceEntry addresses')];
    });
  });
}

function findContradictions(world: World): Finding[] {
  const kind = {
    analyzer: 'service-entry-protocol',
    code: 'IST0177',
    name: 'ConflictingServiceEntryProtocol',
    level: 'WARNING',
  } as const;
  const claims = world.all('ServiceEntry').flatMap((entry) =>
    entry.spec.hosts.flatMap((host) =>
      (entry.spec.ports ?? []).map(({ number, protocol = '' }, index) => {
        return { entry, index, place: `${host}:${number}`, protocol: protocol.toUpperCase() };
      }),
    ),
  );
  return [...Map.groupBy(claims, ({ place }) => place)].flatMap(([place, rivals]) => {
    const protocols = new Set(rivals.map(({ protocol }) => protocol));
    if (protocols.size < 2) return [];
    const names = listOf(rivals.map(({ entry, protocol }) => `${entry.metadata.name} (${protocol})`));
    return rivals.map(({ entry, index }) =>
      finding(kind, entry, `spec.ports[${index}].protocol`, `${place} has several protocols: ${names}`),
    );
  });
}
