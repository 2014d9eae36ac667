// Kubernetes' ObjectMeta: what people write is kept, what a server fills in is accepted and dropped.
import { z } from 'zod';
import { type Report, checkLabels } from '../check/check.ts';
import { isLabel, isQualifiedName, isSubdomain } from '../check/names.ts';
import { textMap } from '../schema/fields.ts';
import type { ObjectMeta } from './object.ts';

/** Of no use outside the server that wrote them; `kubectl get -o yaml` prints them. */
const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'generateName',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'ownerReferences',
  'finalizers',
  'selfLink',
];

/** A copy of the whole object that kubectl keeps for itself. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const maxAnnotationsLength = 256 * 1024;

export const metadataSchema = z.strictObject({
  name: z.string(),
  namespace: z.string().optional(),
  // Templates often leave these two empty.
  labels: textMap.nullable().optional(),
  annotations: textMap.nullable().optional(),
  ...Object.fromEntries(serverFields.map((field) => [field, z.unknown().optional()])),
});

type WrittenMetadata = Pick<z.infer<typeof metadataSchema>, 'name' | 'namespace' | 'labels' | 'annotations'>;

/** Keeps what people write; `namespace` is the one of objects that name none. */
export function toMetadata(written: WrittenMetadata, namespace: string): ObjectMeta {
  const annotations = Object.entries(written.annotations ?? {}).filter(([key]) => key !== lastApplied);
  const labels = written.labels ?? {};
  return {
    name: written.name,
    namespace: written.namespace ?? namespace,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  };
}

/** Checks names, labels and annotations. */
export function checkMetadata(metadata: ObjectMeta, report: Report): void {
  const rule = 'lower-case letters, digits, - and ., a letter or digit at both ends';
  if (!isSubdomain(metadata.name)) {
    report.invalid(['metadata', 'name'], `'${metadata.name}' is not a valid name`, rule);
  }
  if (!isLabel(metadata.namespace)) {
    report.invalid(['metadata', 'namespace'], `'${metadata.namespace}' is not a valid namespace`);
  }
  checkLabels(metadata.labels ?? {}, ['metadata', 'labels'], report);
  let length = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!isQualifiedName(key))
      report.invalid(['metadata', 'annotations', key], `'${key}' is not a valid annotation name`);
    length += key.length + value.length;
  }
  if (length > maxAnnotationsLength) {
    report.invalid(
      ['metadata', 'annotations'],
      `the annotations are longer than ${maxAnnotationsLength} characters`,
    );
  }
}
