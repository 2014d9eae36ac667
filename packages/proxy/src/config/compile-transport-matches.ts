import type { Cluster_TransportSocketMatch } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { TransportMatch } from '../cluster/transport-match.ts';
import { compileUpstreamTransport } from './compile-upstream-transport.ts';
import type { ProblemList } from './problem-list.ts';
import type { TlsMaterials } from './tls-materials.ts';

/** Compiles `transport_socket_matches`: the first that fits an endpoint is used, else the cluster's `transport_socket`. */
export function compileTransportMatches(
  matches: readonly Cluster_TransportSocketMatch[],
  problems: ProblemList,
  materials: TlsMaterials,
): TransportMatch[] {
  return matches.map(({ match, transportSocket }, index) => {
    const path = `transport_socket_matches[${index}].transport_socket`;
    const { tls, proxyProtocol } = compileUpstreamTransport(transportSocket, path, problems, materials);
    if (proxyProtocol !== null) problems.unsupported(path, 'the PROXY protocol to some endpoints only');
    return { traits: match ?? {}, tls };
  });
}
