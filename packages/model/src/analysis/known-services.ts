// The services that objects speak of: those that run, and those that Services and ServiceEntries name.
import type { MeshObject } from '../manifest/object.ts';
import { expandHost, hostMatches, serviceHost } from '../mesh/host-name.ts';
import type { MeshService } from '../mesh/model.ts';
import { isVisible } from '../mesh/visibility.ts';

export interface KnownServices {
  readonly services: ReadonlyMap<string, MeshService>;
  /** Whether rules of a namespace may name the host. */
  readonly knowsHost: (host: string, namespace: string) => boolean;
}

/** Adds to the services that run what objects say. */
export function knownServices(
  objects: readonly MeshObject[],
  running: ReadonlyMap<string, MeshService>,
  domain: string,
): KnownServices {
  const services = new Map(running);
  const entries: { readonly entry: MeshObject; readonly host: string }[] = [];
  for (const object of objects) {
    const { namespace, name } = object.metadata;
    if (object.kind === 'Service') {
      const host = serviceHost(name, namespace, domain);
      const ports = (object.spec.ports ?? []).map(({ port }) => ({ number: port, protocol: 'http' }));
      if (!services.has(host)) services.set(host, { namespace, name, host, ports });
    } else if (object.kind === 'ServiceEntry') {
      for (const host of object.spec.hosts) {
        entries.push({ entry: object, host: expandHost(host, namespace, domain) });
      }
    }
  }
  const knowsHost = (host: string, namespace: string): boolean =>
    services.has(host) ||
    entries.some(({ entry, host: known }) => isVisible(entry, namespace) && hostMatches(known, host));
  return { services, knowsHost };
}
