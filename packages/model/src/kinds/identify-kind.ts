// From apiVersion and kind to a kind that Heddle implements, or to the reason why not.
import { nearestName } from '@heddle/base';
import type { Flaw } from '../schema/problems.ts';
import { type KindInfo, kinds } from './kinds.ts';
import { kubernetesKinds, meshKinds } from './known-kinds.ts';

const supported = kinds.map(({ kind }) => kind).join(' and ');

/** Finds the implemented kind. */
export function identifyKind(apiVersion: string, kind: string): KindInfo | Flaw {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const info = kinds.find((candidate) => candidate.kind === kind);
  if (info?.group === group) return info.versions.includes(version) ? info : unknownVersion(info, version);
  if (meshKinds.get(group)?.includes(kind) === true) {
    return unsupportedKind(`${kind} (${group}) is not supported by Heddle yet`);
  }
  if (kubernetesKinds.get(group)?.includes(kind) === true) {
    return unsupportedKind(`${kind} is a kind of Kubernetes, which Heddle does not read`);
  }
  if (info !== undefined) return wrongGroup(info, apiVersion);
  return unknownKind(group, kind);
}

function unsupportedKind(message: string): Flaw {
  return {
    code: 'HEDDLE_UNSUPPORTED_KIND',
    path: ['kind'],
    message,
    hint: `supported are ${supported}; leave this document out`,
  };
}

function unknownVersion(info: KindInfo, version: string): Flaw {
  return {
    code: 'HEDDLE_UNKNOWN_KIND',
    path: ['apiVersion'],
    message: `${info.kind} has no version '${version}'`,
    hint: `its versions are ${info.versions.map((known) => `${info.group}/${known}`).join(', ')}`,
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
    hint: near === undefined ? `supported are ${supported}` : `did you mean '${near}'?`,
  };
}
