import { toManifest, type MeshChange, type MeshObject, type ObjectSource } from '@heddle/model';
import type { DiffResponse, FieldDiff, ObjectDiff, ResourceDiff } from '../api/types.ts';
import type { PlannedChange } from '../config/configuration.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { xdsTypeName } from '../core/xds-type-name.ts';
import { compareFields } from './compare-fields.ts';
import type { Effect } from './preview-effects.ts';

/** What planned changes would do, to objects and to proxies. */
export async function describeDiff(
  controlPlane: Pick<ControlPlane, 'preview' | 'ads'>,
  plan: readonly PlannedChange[],
): Promise<DiffResponse> {
  const isReal = ({ result: { change } }: PlannedChange): boolean =>
    change === 'created' || change === 'configured' || change === 'deleted';
  const real = plan.filter(isReal);
  const effects = await controlPlane.preview(real.map(modelChangeOf));
  const objects = plan.map((planned): ObjectDiff => {
    const { result, source, before, after } = planned;
    const place = source?.locate('');
    const own = isReal(planned) ? (effects[real.indexOf(planned)] ?? []) : [];
    const { apiVersion, kind, namespace, name, change } = result;
    return {
      ...{ apiVersion, kind, namespace, name, change },
      ...(place === undefined ? {} : { file: place.file, line: place.line }),
      fields: before === undefined || after === undefined ? [] : objectFields(before, after, source),
      resources: own.flatMap(describeEffect),
      warnings: 'warnings' in result ? result.warnings : [],
    };
  });
  const changed = new Set(objects.flatMap(({ resources }) => resources.flatMap(({ proxies }) => proxies)));
  return { objects, proxies: { changed: [...changed].sort(), total: controlPlane.ads.status().length } };
}

function modelChangeOf({ key, after, createdRevision }: PlannedChange): MeshChange {
  return after === undefined ? { deletedObjects: [key] } : { objects: [{ object: after, createdRevision }] };
}

function objectFields(before: MeshObject, after: MeshObject, source: ObjectSource | undefined): FieldDiff[] {
  return compareFields(toManifest(before), toManifest(after)).map((change): FieldDiff => {
    const line = source?.locate(change.path, 'key').line;
    const place = line === undefined ? {} : { line };
    // That a secret's content changes may be told, what it is may not.
    return Object.assign(place, after.kind === 'Secret' ? { path: change.path } : change);
  });
}

function describeEffect({ typeUrl, name, change, proxies, fields }: Effect): ResourceDiff[] {
  const type = xdsTypeName(typeUrl);
  return type === undefined ? [] : [{ type, name, change, proxies, fields }];
}
