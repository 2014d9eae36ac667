// The mesh's settings, which Istio keeps as text in a ConfigMap.
import type { ObjectMeta } from '../manifest/object.ts';
import type { ConfigMapBody } from '../schema/kubernetes/core.ts';
import { meshConfig } from '../schema/mesh-config.ts';
import { findSchemaFlaws } from '../schema/problems.ts';
import { formatPath } from '../source/place.ts';
import type { Report } from './check.ts';
import { readMeshSettings } from './mesh-settings.ts';

interface ConfigMap {
  readonly metadata: ObjectMeta;
  readonly spec: ConfigMapBody;
}

/** Whether a ConfigMap holds the settings of a mesh, and not somebody's own. */
export function isMeshConfigMap({ metadata, spec }: ConfigMap): boolean {
  return /^istio(-.+)?$/.test(metadata.name) && spec.data?.['mesh'] !== undefined;
}

/** Checks the settings; flaws are told at the text that holds them. */
export function checkMeshConfigMap(map: ConfigMap, report: Report): void {
  if (!isMeshConfigMap(map)) return;
  const path = ['data', 'mesh'];
  const settings = readMeshSettings(map.spec.data!['mesh']!);
  if (!settings.ok) return report.invalid(path, settings.error);
  for (const flaw of findSchemaFlaws(meshConfig, settings.value, [])) {
    report.errors.push({ ...flaw, path, message: `${formatPath(flaw.path)}: ${flaw.message}` });
  }
}
