// What becomes of a Gateway's listeners (https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus).
import {
  condition,
  gatewayGroup,
  type Condition,
  type GatewayWorld,
  type KubernetesGateway,
} from './gateway-world.ts';
import { type Listener, kindsOf, supportedKinds } from './listener-kinds.ts';
import { acceptingListeners } from './route-parents.ts';

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** Of each listener, in the order of the Gateway. */
export function listenerStatuses(gateway: KubernetesGateway, world: GatewayWorld): ListenerStatus[] {
  const { namespace, name } = gateway.metadata;
  return gateway.spec.listeners.map((listener): ListenerStatus => {
    const kinds = supportedKinds(listener);
    const attached = world.routes.filter((route) =>
      (route.spec.parentRefs ?? []).some((parent) => {
        const isThis =
          (parent.kind ?? 'Gateway') === 'Gateway' &&
          parent.name === name &&
          (parent.namespace ?? route.metadata.namespace) === namespace;
        const found = isThis ? acceptingListeners(route, parent, gateway, world) : [];
        return Array.isArray(found) && found.includes(listener);
      }),
    );
    return {
      name: listener.name,
      supportedKinds: kinds.map((kind) => ({ group: gatewayGroup, kind })),
      attachedRoutes: attached.length,
      conditions: conditionsOf(listener, gateway, world),
    };
  });
}

function conditionsOf(listener: Listener, gateway: KubernetesGateway, world: GatewayWorld): Condition[] {
  const isKnown = kindsOf(listener) !== undefined;
  const refs = resolvedRefs(listener, gateway, world);
  const accepted = isKnown
    ? condition('Accepted', true, 'Accepted')
    : condition('Accepted', false, 'UnsupportedProtocol', `there are no listeners of ${listener.protocol}`);
  const reason = !isKnown || refs.status === 'False' ? 'Invalid' : 'Pending';
  return [
    accepted,
    condition('Conflicted', false, 'NoConflicts'),
    refs,
    condition('Programmed', false, reason, 'Heddle runs no gateways yet'),
  ];
}

function resolvedRefs(listener: Listener, gateway: KubernetesGateway, world: GatewayWorld): Condition {
  const named = listener.allowedRoutes?.kinds ?? [];
  if (supportedKinds(listener).length < named.length)
    return condition(
      'ResolvedRefs',
      false,
      'InvalidRouteKinds',
      'a kind of routes is named that it cannot have',
    );
  for (const { group = '', kind = 'Secret', namespace, name } of listener.tls?.certificateRefs ?? []) {
    const target = { group, kind, namespace: namespace ?? gateway.metadata.namespace, name };
    const place = `${kind} ${target.namespace}/${name}`;
    if (group !== '' || kind !== 'Secret')
      return condition('ResolvedRefs', false, 'InvalidCertificateRef', `${place} is no Secret`);
    const from = { group: gatewayGroup, kind: 'Gateway', namespace: gateway.metadata.namespace };
    if (!world.mayRefer(from, target))
      return condition('ResolvedRefs', false, 'RefNotPermitted', `no ReferenceGrant allows ${place}`);
    if (!world.mayHaveSecret(target.namespace, name))
      return condition(
        'ResolvedRefs',
        false,
        'InvalidCertificateRef',
        `there is no ${place} with a certificate`,
      );
  }
  return condition('ResolvedRefs', true, 'ResolvedRefs');
}
