// The kinds Heddle implements: their names on the command line, served versions and the columns of `heddle get`.
import type { MeshObject, ObjectKind } from '../manifest/object.ts';

/** One column of `heddle get <plural>` beside NAME. */
export interface PrinterColumn {
  readonly name: string;
  /** `date` columns hold an age, which the store knows and the object doesn't: `value` is absent there. */
  readonly type: 'string' | 'date';
  readonly value?: (object: MeshObject) => string;
}

/** A kind that Heddle implements. All are namespaced. */
export interface KindInfo {
  readonly kind: ObjectKind;
  readonly group: string;
  /** Newest first; all have the same fields. */
  readonly versions: readonly string[];
  /** What objects are stored and shown as. */
  readonly storageApiVersion: MeshObject['apiVersion'];
  /** Name in URLs and commands. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

const networkingVersions = ['v1', 'v1beta1', 'v1alpha3'];

/** Prints a list as kubectl prints one of a custom resource; nothing for an absent one. */
function list(values: readonly string[] | undefined): string {
  return values === undefined ? '' : JSON.stringify(values);
}

const age: PrinterColumn = { name: 'Age', type: 'date' };

/** The kinds Heddle implements. */
export const kinds: readonly KindInfo[] = [
  {
    kind: 'VirtualService',
    group: 'networking.istio.io',
    versions: networkingVersions,
    storageApiVersion: 'networking.istio.io/v1',
    plural: 'virtualservices',
    singular: 'virtualservice',
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
    group: 'networking.istio.io',
    versions: networkingVersions,
    storageApiVersion: 'networking.istio.io/v1',
    plural: 'destinationrules',
    singular: 'destinationrule',
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
];

/** Finds a kind by what people type: plural, singular, short name or kind, in any case, with or without the group. */
export function findKind(name: string): KindInfo | undefined {
  const wanted = name.toLowerCase();
  return kinds.find((info) => {
    const names = [info.plural, info.singular, ...info.shortNames];
    return names.some((known) => known === wanted || `${known}.${info.group}` === wanted);
  });
}
