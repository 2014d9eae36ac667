// Which kinds of routes a Gateway's listener can have.
import { gatewayGroup, type KubernetesGateway } from './gateway-world.ts';

export type Listener = KubernetesGateway['spec']['listeners'][number];

/** Kinds of routes that a listener of a protocol can have; undefined for protocols that nobody knows. */
export function kindsOf({ protocol, tls }: Listener): readonly string[] | undefined {
  switch (protocol) {
    case 'HTTP':
    case 'HTTPS':
      return ['HTTPRoute', 'GRPCRoute'];
    case 'TLS':
      return tls?.mode === 'Passthrough' ? ['TLSRoute'] : ['TLSRoute', 'TCPRoute'];
    case 'TCP':
      return ['TCPRoute'];
    case 'UDP':
      return ['UDPRoute'];
    default:
      return undefined;
  }
}

/** The kinds of routes that may be attached to a listener. */
export function supportedKinds(listener: Listener): readonly string[] {
  const possible = kindsOf(listener) ?? [];
  const named = listener.allowedRoutes?.kinds ?? [];
  if (named.length === 0) return possible;
  return named
    .filter(({ group, kind }) => (group ?? gatewayGroup) === gatewayGroup && possible.includes(kind))
    .map(({ kind }) => kind);
}
