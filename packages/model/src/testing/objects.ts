// Short ways to write objects and services in tests.
import { parseManifests } from '../manifest/parse-manifests.ts';
import type { StoredObject } from '../manifest/object.ts';
import { serviceHost } from '../mesh/host-name.ts';
import type { MeshService } from '../mesh/model.ts';

/** An object as the store would hold it; `name` may be `namespace/name`. Fails on any error. */
export function stored(kind: string, name: string, spec: object, createdRevision = 1): StoredObject {
  const [last, namespace = 'default'] = name.split('/').toReversed();
  const manifest = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: last, namespace }, spec };
  const { objects, problems } = parseManifests([{ name, text: JSON.stringify(manifest) }], { namespace });
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new Error(`${name}: ${error.path}: ${error.message}`);
  return { object: objects[0]!.object, createdRevision };
}

/** A VirtualService. */
export function virtualService(
  name: string,
  spec: { hosts: readonly string[]; [field: string]: unknown },
  createdRevision = 1,
): StoredObject {
  return stored('VirtualService', name, spec, createdRevision);
}

/** A DestinationRule with a subset `v1` and so on per name. */
export function destinationRule(
  name: string,
  host: string,
  subsets: readonly string[],
  more: { createdRevision?: number; exportTo?: readonly string[] } = {},
): StoredObject {
  const spec = { host, subsets: subsets.map((version) => ({ name: version, labels: { version } })) };
  const exportTo = more.exportTo === undefined ? {} : { exportTo: more.exportTo };
  return stored('DestinationRule', name, { ...spec, ...exportTo }, more.createdRevision);
}

/** A service with HTTP ports; `name` may be `namespace/name`. */
export function service(name: string, ...ports: readonly number[]): MeshService {
  const [last = '', namespace = 'default'] = name.split('/').toReversed();
  return {
    namespace,
    name: last,
    host: serviceHost(last, namespace),
    ports: ports.map((number) => ({ number, protocol: 'http' })),
  };
}

/** A rule's destination list: `reviews|v1` with weight 1 each. */
export function to(...destinations: readonly string[]): object[] {
  return destinations.map((text) => {
    const [host, subset] = text.split('|');
    return { destination: subset === undefined ? { host } : { host, subset }, weight: 1 };
  });
}
