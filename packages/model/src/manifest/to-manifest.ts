import { kindOf } from '../kinds/kinds.ts';
import { type MeshObject, keyOf } from './object.ts';

/** An object as its kind is written in YAML. */
export function toManifest(object: MeshObject): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, metadata, spec } = object;
  const body = kindOf(keyOf(object))?.body === 'root' ? spec : { spec };
  return { apiVersion, kind, metadata, ...body };
}
