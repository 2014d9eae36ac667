// What a ServiceEntry or a Service says, in the model's words. Endpoints that other objects name come later.
import { isIP } from 'node:net';
import { type MeshObject, keyOf } from '../manifest/object.ts';
import {
  type DeclaredEndpoint,
  type DeclaredPort,
  type DeclaredService,
  type WorkloadLabels,
  isSelectedBy,
  portProtocol,
} from './declared-service.ts';
import { expandHost, serviceHost } from './host-name.ts';

export type ObjectOf<Kind extends MeshObject['kind']> = Extract<MeshObject, { readonly kind: Kind }>;

/** Objects that declare services. */
export type Declaration = ObjectOf<'ServiceEntry'> | ObjectOf<'Service'>;

export function isDeclaration(object: MeshObject): object is Declaration {
  return object.kind === 'ServiceEntry' || object.kind === 'Service';
}

/** The hosts that an object declares, as full names. */
export function declaredHosts(object: Declaration, domain: string): string[] {
  const { name, namespace } = object.metadata;
  return object.kind === 'Service'
    ? [serviceHost(name, namespace, domain)]
    : object.spec.hosts.map((host) => expandHost(host, namespace, domain));
}

/** What selects workloads of the object's namespace; null for none. */
export function selectorOf(object: Declaration): WorkloadLabels | null {
  if (object.kind === 'ServiceEntry') return object.spec.workloadSelector?.labels ?? null;
  const selector = object.spec.selector ?? {};
  return Object.keys(selector).length === 0 ? null : selector;
}

/** Whether a workload of these labels in this namespace is an endpoint of what the object declares. */
export function selects(
  object: Declaration,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  const selector = selectorOf(object);
  return selector !== null && namespace === object.metadata.namespace && isSelectedBy(selector, labels);
}

/** The declaration of one host; `endpoints` are those that other objects name. */
export function readDeclaration(
  object: Declaration,
  host: string,
  endpoints: readonly DeclaredEndpoint[],
): DeclaredService {
  return object.kind === 'Service'
    ? readService(object, host, endpoints)
    : readServiceEntry(object, host, endpoints);
}

function readServiceEntry(
  object: ObjectOf<'ServiceEntry'>,
  host: string,
  selected: readonly DeclaredEndpoint[],
): DeclaredService {
  const { spec, metadata } = object;
  const resolution = spec.resolution ?? 'NONE';
  const named = (spec.endpoints ?? []).map((endpoint) => readWorkload(endpoint, metadata.namespace));
  // As in Istio: who names no endpoint means the host itself.
  const isItself =
    (resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN') &&
    named.length === 0 &&
    spec.workloadSelector === undefined &&
    !host.startsWith('*');
  return {
    object: keyOf(object),
    namespace: metadata.namespace,
    host,
    ports: sorted(
      (spec.ports ?? []).map(({ number, protocol, name, targetPort }) => ({
        number,
        protocol: portProtocol(protocol),
        name,
        targetPort: targetPort ?? number,
      })),
    ),
    isExternal: spec.location !== 'MESH_INTERNAL',
    resolution,
    addresses: spec.addresses ?? [],
    selector: selectorOf(object),
    endpoints: [...named, ...selected, ...(isItself ? [plainEndpoint(host)] : [])],
    subjectAltNames: spec.subjectAltNames ?? [],
  };
}

function readService(
  object: ObjectOf<'Service'>,
  host: string,
  endpoints: readonly DeclaredEndpoint[],
): DeclaredService {
  const { spec, metadata } = object;
  const { externalName = '', clusterIP = '' } = spec;
  const isAlias = spec.type === 'ExternalName' && externalName !== '';
  const ports = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return {
    object: keyOf(object),
    namespace: metadata.namespace,
    host,
    ports: sorted(
      ports.map(({ name = '', port, targetPort, appProtocol }) => ({
        number: port,
        protocol: portProtocol(appProtocol ?? protocolOfName(name)),
        name,
        targetPort: typeof targetPort === 'number' ? targetPort : port,
      })),
    ),
    isExternal: isAlias,
    resolution: isAlias ? 'DNS' : 'STATIC',
    addresses: isIP(clusterIP) === 0 ? [] : [clusterIP],
    selector: selectorOf(object),
    endpoints: isAlias ? [plainEndpoint(externalName)] : endpoints,
    subjectAltNames: [],
  };
}

/** Istio's `<protocol>[-<suffix>]`; HTTP where a name says nothing, as Heddle's instances do. */
function protocolOfName(name: string): string {
  if (name.startsWith('grpc-web')) return 'grpc-web';
  const first = name.split('-')[0]!.toLowerCase();
  return ['http', 'http2', 'grpc', 'https', 'tls', 'tcp', 'mongo', 'mysql', 'redis'].includes(first)
    ? first
    : 'http';
}

/** A workload as a ServiceEntry or a WorkloadEntry of this namespace names it. */
export function readWorkload(
  { address, ports, labels, locality, weight, serviceAccount = '' }: ObjectOf<'WorkloadEntry'>['spec'],
  namespace: string,
): DeclaredEndpoint {
  return {
    address: address ?? '',
    ports: ports ?? {},
    labels: labels ?? {},
    locality: locality ?? labels?.['istio-locality']?.replaceAll('.', '/') ?? '',
    weight: weight === undefined || weight === 0 ? 1 : weight,
    identity: hasMeshTls(labels ?? {}, serviceAccount) ? { namespace, serviceAccount } : null,
  };
}

/** As in Istio: where nobody says otherwise, whoever has a service account has a certificate of it. */
function hasMeshTls(labels: Readonly<Record<string, string>>, serviceAccount: string): boolean {
  if (serviceAccount === '') return false;
  const said = labels['security.istio.io/tlsMode'];
  return said === undefined || said === 'istio';
}

/** The endpoints of one slice. Those that are not ready are none. */
export function readSlice({ spec }: ObjectOf<'EndpointSlice'>): DeclaredEndpoint[] {
  const ports: Record<string, number> = {};
  for (const { name, port } of spec.ports ?? []) if (typeof port === 'number') ports[name ?? ''] = port;
  return (spec.endpoints ?? []).flatMap((endpoint) => {
    const conditions = endpoint['conditions'] as { ready?: boolean | null } | null | undefined;
    if (conditions?.ready === false) return [];
    return endpoint.addresses.map((address) => ({ ...plainEndpoint(address), ports }));
  });
}

function plainEndpoint(address: string): DeclaredEndpoint {
  return { address, ports: {}, labels: {}, locality: '', weight: 1, identity: null };
}

function sorted(ports: readonly DeclaredPort[]): DeclaredPort[] {
  return [...new Map(ports.map((port) => [port.number, port])).values()].sort((a, b) => a.number - b.number);
}
