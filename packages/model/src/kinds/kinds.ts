// The kinds Heddle knows: their names on the command line, served versions and the columns of `heddle get`.
import type { MeshObject, ObjectGroup, ObjectKind } from '../manifest/object.ts';

/** One column of `heddle get <plural>` beside NAME. */
export interface PrinterColumn {
  readonly name: string;
  /** `date` columns hold an age, which the store knows and the object doesn't: `value` is absent there. */
  readonly type: 'string' | 'date';
  readonly value?: (object: MeshObject) => string;
}

/** A kind that Heddle knows. */
export interface KindInfo {
  readonly kind: ObjectKind;
  readonly group: ObjectGroup;
  /** Newest first; all have the same fields. */
  readonly versions: readonly string[];
  /** What objects are stored and shown as. */
  readonly storageApiVersion: MeshObject['apiVersion'];
  /** Name in URLs and commands. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly columns: readonly PrinterColumn[];
  /** Objects of the others are kept in the namespace `default`, whatever they say. */
  readonly isNamespaced: boolean;
  /** Where an object says what it says: under `spec`, or beside `metadata`. */
  readonly body: 'spec' | 'root';
  /** Of kinds that are read, so that others can be judged by them, and never stored. */
  readonly isStored: boolean;
  /** What an object of the kind does not do yet, as a sentence; null where the kind has an effect. */
  readonly noEffect: string | null;
  /** Only Envoys are sent what objects of the kind say. */
  readonly isForEnvoys: boolean;
}

const networkingVersions = ['v1', 'v1beta1', 'v1alpha3'];

/** Prints a list as kubectl prints one of a custom resource; nothing for an absent one. */
function list(values: readonly string[] | undefined): string {
  return values === undefined ? '' : JSON.stringify(values);
}

const age: PrinterColumn = { name: 'Age', type: 'date' };

interface Row {
  readonly kind: ObjectKind;
  readonly shortNames?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
  readonly noEffect?: string;
  readonly isForEnvoys?: true;
  readonly versions?: readonly string[];
  readonly isNamespaced?: boolean;
  readonly body?: 'root';
}

function pluralOf(singular: string): string {
  if (singular.endsWith('s')) return `${singular}es`;
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

/** Kinds of one group that share versions; the first version is the one that is stored. */
function group(
  name: ObjectGroup,
  versions: readonly string[],
  rows: readonly Row[],
  isStored = true,
): KindInfo[] {
  return rows.map((row) => {
    const singular = row.kind.toLowerCase();
    const known = row.versions ?? versions;
    const prefix = name === '' ? '' : `${name}/`;
    return {
      kind: row.kind,
      group: name,
      versions: known,
      storageApiVersion: `${prefix}${known[0]!}` as MeshObject['apiVersion'],
      plural: pluralOf(singular),
      singular,
      shortNames: row.shortNames ?? [],
      columns: row.columns ?? [age],
      isNamespaced: row.isNamespaced ?? true,
      body: row.body ?? 'spec',
      isStored,
      noEffect: row.noEffect ?? null,
      isForEnvoys: row.isForEnvoys ?? false,
    };
  });
}

const notEnvoy = "Heddle's own proxy takes no filters of Envoy's";
const noGateways = 'Heddle runs no gateways yet';
const noRoutes = 'Heddle compiles routes of HTTP and gRPC only so far';

/** The kinds Heddle knows. Where two have one name the first is meant by it. */
export const kinds: readonly KindInfo[] = [
  ...group('networking.istio.io', networkingVersions, [
    {
      kind: 'VirtualService',
      shortNames: ['vs'],
      columns: [
        {
          name: 'Gateways',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'VirtualService' ? list(spec.gateways) : ''),
        },
        {
          name: 'Hosts',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'VirtualService' ? list(spec.hosts) : ''),
        },
        age,
      ],
    },
    {
      kind: 'DestinationRule',
      shortNames: ['dr'],
      columns: [
        {
          name: 'Host',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'DestinationRule' ? spec.host : ''),
        },
        age,
      ],
    },
    { kind: 'Gateway', shortNames: ['gw'], noEffect: noGateways },
    {
      kind: 'ServiceEntry',
      shortNames: ['se'],
      columns: [
        {
          name: 'Hosts',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'ServiceEntry' ? list(spec.hosts) : ''),
        },
        {
          name: 'Location',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'ServiceEntry' ? (spec.location ?? '') : ''),
        },
        {
          name: 'Resolution',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'ServiceEntry' ? (spec.resolution ?? '') : ''),
        },
        age,
      ],
    },
    { kind: 'Sidecar' },
    {
      kind: 'WorkloadEntry',
      shortNames: ['we'],
      columns: [
        age,
        {
          name: 'Address',
          type: 'string',
          value: ({ kind, spec }) => (kind === 'WorkloadEntry' ? (spec.address ?? '') : ''),
        },
      ],
    },
    {
      kind: 'WorkloadGroup',
      shortNames: ['wg'],
      noEffect: 'instances register themselves by heddle run, which probes the port that it is told',
    },
    { kind: 'EnvoyFilter', versions: ['v1alpha3'], isForEnvoys: true },
    {
      kind: 'ProxyConfig',
      versions: ['v1beta1'],
      noEffect: 'proxies are configured where they are started, by flags of heddle run',
    },
  ]),
  ...group(
    'security.istio.io',
    ['v1', 'v1beta1'],
    [
      {
        kind: 'PeerAuthentication',
        shortNames: ['pa'],
        columns: [
          {
            name: 'Mode',
            type: 'string',
            value: ({ kind, spec }) => (kind === 'PeerAuthentication' ? (spec.mtls?.mode ?? 'UNSET') : ''),
          },
          age,
        ],
      },
      { kind: 'RequestAuthentication', shortNames: ['ra'], noEffect: 'Heddle verifies no tokens yet' },
      {
        kind: 'AuthorizationPolicy',
        shortNames: ['ap'],
        columns: [
          {
            name: 'Action',
            type: 'string',
            value: ({ kind, spec }) => (kind === 'AuthorizationPolicy' ? (spec.action ?? 'ALLOW') : ''),
          },
          age,
        ],
      },
    ],
  ),
  ...group(
    'telemetry.istio.io',
    ['v1', 'v1alpha1'],
    [
      {
        kind: 'Telemetry',
        noEffect: 'traces, metrics and access logs are the same for all workloads so far',
      },
    ],
  ),
  ...group(
    'extensions.istio.io',
    ['v1alpha1'],
    [
      {
        kind: 'WasmPlugin',
        noEffect: "Heddle's own proxy runs no WebAssembly, and Envoys are not told to yet",
      },
      { kind: 'TrafficExtension', noEffect: notEnvoy },
    ],
  ),
  ...group(
    'gateway.networking.k8s.io',
    ['v1', 'v1beta1', 'v1alpha2', 'v1alpha3'],
    [
      { kind: 'GatewayClass', shortNames: ['gc'], isNamespaced: false, noEffect: noGateways },
      { kind: 'Gateway', shortNames: ['gtw'], noEffect: noGateways },
      { kind: 'ListenerSet', noEffect: noGateways },
      { kind: 'HTTPRoute' },
      { kind: 'GRPCRoute' },
      { kind: 'TLSRoute', noEffect: noRoutes },
      { kind: 'TCPRoute', noEffect: noRoutes },
      { kind: 'UDPRoute', noEffect: noRoutes },
      { kind: 'ReferenceGrant', shortNames: ['refgrant'] },
      {
        kind: 'BackendTLSPolicy',
        shortNames: ['btlspolicy'],
        noEffect: 'connections to instances are mTLS of the mesh, and there are no others yet',
      },
    ],
  ),
  ...group(
    '',
    ['v1'],
    [
      { kind: 'Service', shortNames: ['svc'] },
      {
        kind: 'Namespace',
        shortNames: ['ns'],
        isNamespaced: false,
        body: 'root',
        noEffect: 'a namespace is there when something is in it; its labels say nothing to Heddle yet',
      },
      {
        kind: 'ServiceAccount',
        shortNames: ['sa'],
        body: 'root',
        noEffect: 'the service account of an instance is the one it joins with',
      },
      {
        kind: 'ConfigMap',
        shortNames: ['cm'],
        body: 'root',
        noEffect:
          "of a mesh's settings only outboundTrafficPolicy.mode counts so far, and no other ConfigMap does",
      },
    ],
  ),
  ...group(
    '',
    ['v1'],
    [
      { kind: 'Secret', body: 'root', noEffect: 'nothing of Heddle uses certificates of users yet' },
      { kind: 'Pod', shortNames: ['po'], body: 'root', noEffect: 'Heddle starts no containers' },
    ],
    false,
  ),
  ...group('discovery.k8s.io', ['v1'], [{ kind: 'EndpointSlice', body: 'root' }]),
  ...group(
    'apps',
    ['v1'],
    [
      { kind: 'Deployment', shortNames: ['deploy'], noEffect: 'Heddle starts no containers' },
      { kind: 'StatefulSet', shortNames: ['sts'], noEffect: 'Heddle starts no containers' },
      { kind: 'DaemonSet', shortNames: ['ds'], noEffect: 'Heddle starts no containers' },
      { kind: 'ReplicaSet', shortNames: ['rs'], noEffect: 'Heddle starts no containers' },
    ],
    false,
  ),
  ...group('batch', ['v1'], [{ kind: 'Job', noEffect: 'Heddle starts no containers' }], false),
];

/** Finds a kind by what people type: plural, singular, short name or kind, in any case, with or without the group. */
export function findKind(name: string): KindInfo | undefined {
  const wanted = name.toLowerCase();
  return kinds.find((info) => {
    const names = [info.plural, info.singular, ...info.shortNames];
    return names.some((known) => known === wanted || `${known}.${info.group}` === wanted);
  });
}

/** The kind of an object. */
export function kindOf(key: { readonly group: string; readonly kind: string }): KindInfo | undefined {
  return kinds.find(({ group: known, kind }) => known === key.group && kind === key.kind);
}
