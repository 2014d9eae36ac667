/** Which intercepted connections belong to a service although nobody reads what they say. */
import { clusterName, type HostView, type MeshHost, type MeshModel, viewOf } from '@heddle/model';
import { rangesOf } from './declared-addresses.ts';
import type { OpaqueDestination } from './interception-listeners.ts';
import type { ScopeView } from './scope-view.ts';
import { isOpaque } from './tcp-link.ts';
import type { VirtualAddresses } from './virtual-addresses.ts';

/** The TCP and TLS ports that proxies of a scope see, each place once: proxies refuse two chains for the same connections. */
export function opaqueDestinations(
  model: MeshModel,
  namespace: string,
  addresses: VirtualAddresses,
  scope: Pick<ScopeView, 'names'>,
  hasTunnels: boolean,
): OpaqueDestination[] {
  const destinations: OpaqueDestination[] = [];
  const taken = new Set<string>();
  for (const [name, host] of [...model.hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (host.service === null || !scope.names(name)) continue;
    for (const destination of destinationsOf(host, viewOf(host, namespace), addresses, hasTunnels)) {
      const { port, ranges, serverNames } = destination;
      const free = ranges.filter(
        ({ addressPrefix, prefixLen }) => !taken.has(`${port} ${addressPrefix}/${Number(prefixLen)}`),
      );
      for (const { addressPrefix, prefixLen } of free)
        taken.add(`${port} ${addressPrefix}/${Number(prefixLen)}`);
      if (ranges.length > 0 && free.length === 0) continue;
      if (ranges.length === 0) {
        const place = `${port} ${serverNames.length > 0 ? name : ''}`;
        if (taken.has(place)) continue;
        taken.add(place);
      }
      destinations.push({ ...destination, ranges: free });
    }
  }
  return destinations;
}

function destinationsOf(
  { host }: MeshHost,
  view: HostView,
  addresses: VirtualAddresses,
  hasTunnels: boolean,
): OpaqueDestination[] {
  const ranges = rangesOf(view, addresses.get(host));
  const isExternal = view.declared?.isExternal === true;
  return view.ports.flatMap(({ port, protocol }): OpaqueDestination[] => {
    if (!isOpaque(protocol)) return [];
    const tunnelTo = hasTunnels && !isExternal ? `${host}:${port}` : null;
    const base = { cluster: clusterName(port, '', host), port, tunnelTo, serverNames: [] };
    const byAddress = ranges.length > 0 ? [{ ...base, ranges }] : [];
    // Whoever looked the name up somewhere else is known by the name that he asks for in TLS.
    if (protocol === 'tls') return [...byAddress, { ...base, ranges: [], serverNames: [host] }];
    // Nothing but the port to go by, and the connection goes where it was going: the port it is.
    if (byAddress.length === 0 && view.declared?.resolution === 'NONE') return [{ ...base, ranges: [] }];
    return byAddress;
  });
}
