// The mesh's settings, which Istio keeps as text in a ConfigMap.
import { parse } from 'yaml';
import { errorMessage } from '@heddle/base';
import type { ObjectMeta } from '../manifest/object.ts';
import type { ConfigMapBody } from '../schema/kubernetes/core.ts';
import { meshConfig } from '../schema/mesh-config.ts';
import { findSchemaFlaws } from '../schema/problems.ts';
import { formatPath } from '../source/place.ts';
import type { Report } from './check.ts';

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
  let settings: unknown;
  try {
    settings = parse(map.spec.data!['mesh']!) ?? {};
  } catch (error) {
    report.invalid(path, `the mesh's settings are no YAML: ${errorMessage(error).split('\n')[0]!}`);
    return;
  }
  for (const flaw of findSchemaFlaws(meshConfig, settings, [])) {
    report.errors.push({ ...flaw, path, message: `${formatPath(flaw.path)}: ${flaw.message}` });
  }
}
