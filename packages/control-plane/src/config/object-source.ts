/** The form in which objects are stored: JSON with sorted keys, so that equal objects have equal text. */
import { hash } from 'node:crypto';
import { parseManifests, toManifest, type MeshObject } from '@heddle/model';
import { err, ok, type Problem, type Result } from '@heddle/base';
import type { StoredObject } from '../store/config-store.ts';

/** JSON with sorted keys: what two objects that say the same have in common. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** An object as the store takes it. */
export function encodeObject(object: MeshObject): {
  readonly apiVersion: string;
  readonly source: string;
  readonly specDigest: string;
} {
  const specDigest = hash('sha256', canonicalJson(object.spec), 'base64url');
  return { apiVersion: object.apiVersion, source: canonicalJson(toManifest(object)), specDigest };
}

/** Reads what `encodeObject` wrote; a later version may refuse what an earlier one took. */
export function decodeObject(stored: StoredObject): Result<MeshObject, readonly Problem[]> {
  const file = { name: `${stored.kind}/${stored.namespace}/${stored.name}`, text: stored.source };
  const { objects, problems } = parseManifests([file], { namespace: stored.namespace });
  const [parsed] = objects;
  return parsed === undefined ? err(problems) : ok(parsed.object);
}
