// The settings of a whole mesh that have an effect, from the ConfigMap in which Istio keeps them.
import { parse } from 'yaml';
import type { MeshObject } from '../manifest/object.ts';
import { meshConfig } from '../schema/mesh-config.ts';

export interface MeshSettings {
  /** Unless a Sidecar says otherwise, requests to hosts that nobody knows go nowhere. */
  readonly isRegistryOnly: boolean;
}

export const defaultMeshSettings: MeshSettings = { isRegistryOnly: false };

/** Istio's own root namespace counts too: people move what they have. */
const istioNamespace = 'istio-system';
const settingsName = 'istio';

/** Whether an object holds the settings of the mesh whose root namespace this is. */
export function holdsMeshSettings(object: MeshObject, rootNamespace: string): boolean {
  const { name, namespace } = object.metadata;
  const isHome = namespace === rootNamespace || namespace === istioNamespace;
  return object.kind === 'ConfigMap' && name === settingsName && isHome;
}

/** Reads them. What is written there was checked when it was applied; what can't be read says nothing. */
export function readMeshSettings(object: MeshObject): MeshSettings {
  if (object.kind !== 'ConfigMap') return defaultMeshSettings;
  let written: unknown;
  try {
    written = parse(object.spec.data?.['mesh'] ?? '') ?? {};
  } catch {
    return defaultMeshSettings;
  }
  const policy = meshConfig.safeParse(written).data?.outboundTrafficPolicy;
  return { isRegistryOnly: policy !== undefined && !(policy.mode ?? '').startsWith('ALLOW_ANY') };
}
