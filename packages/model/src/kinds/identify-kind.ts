// From apiVersion and kind to a kind that Heddle knows, or to the reason why not.
import { nearestName } from '@heddle/base';
import type { Flaw } from '../schema/problems.ts';
import { type KindInfo, kindOf, kinds } from './kinds.ts';
import { kubernetesKinds, meshKinds } from './known-kinds.ts';

const supported = [...meshKinds.values()].flat().join(', ');

/** A kind that is nobody's fault and nothing for a mesh. */
export interface ForeignKind {
  readonly foreign: string;
}

/** Finds the kind. */
export function identifyKind(apiVersion: string, kind: string): KindInfo | ForeignKind | Flaw {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const info = kindOf({ group, kind });
  if (info !== undefined) return info.versions.includes(version) ? info : unknownVersion(info, version);
  if (kubernetesKinds.get(group)?.includes(kind) === true) return { foreign: kind };
  const namesake = kinds.find((candidate) => candidate.kind === kind);
  return namesake === undefined ? unknownKind(group, kind) : wrongGroup(namesake, apiVersion);
}

function unknownVersion(info: KindInfo, version: string): Flaw {
  return {
    code: 'HEDDLE_UNKNOWN_KIND',
    path: ['apiVersion'],
    message: `${info.kind} has no version '${version}'`,
    hint: `its versions are ${info.versions.map((known) => (info.group === '' ? known : `${info.group}/${known}`)).join(', ')}`,
  };
}

function wrongGroup(info: KindInfo, apiVersion: string): Flaw {
  return {
    code: 'HEDDLE_UNKNOWN_KIND',
    path: ['apiVersion'],
    message: `there is no ${info.kind} in '${apiVersion}'`,
    hint: `write 'apiVersion: ${info.storageApiVersion}'`,
  };
}

function unknownKind(group: string, kind: string): Flaw {
  const ofGroup = meshKinds.get(group) ?? kubernetesKinds.get(group);
  const everywhere = [...meshKinds.values(), ...kubernetesKinds.values()].flat();
  const near = nearestName(kind, ofGroup ?? []) ?? nearestName(kind, everywhere);
  return {
    code: 'HEDDLE_UNKNOWN_KIND',
    path: ['kind'],
    message: group === '' ? `unknown kind '${kind}'` : `unknown kind '${kind}' in the group '${group}'`,
    hint: near === undefined ? `known of the mesh's are ${supported}` : `did you mean '${near}'?`,
  };
}
