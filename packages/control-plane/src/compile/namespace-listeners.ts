/**
 * The listeners by which intercepted applications find the mesh: names have addresses, and connections to those lead to TCP
 * services. They depend on the whole mesh, as seen from a namespace, and are the same for its sidecars with equal options.
 */
import type { MeshModel } from '@heddle/model';
import { encodeMessage, TypeUrl, type EncodedResource } from '@heddle/xds';
import { dnsListener, dnsListenerName, hostsWithVirtualAddress } from './dns-listener.ts';
import { virtualOutbound, virtualOutboundName } from './interception-listeners.ts';
import { makeResource } from './make-resource.ts';
import { blackHoleCluster, originalDestinationCluster } from './names.ts';
import type { SidecarNode } from './node-metadata.ts';
import { opaqueDestinations } from './opaque-destinations.ts';
import type { ScopeView } from './scope-view.ts';
import { VirtualAddresses } from './virtual-addresses.ts';

/** What may change with any host. */
export const namespaceListenerNames: readonly string[] = [dnsListenerName, virtualOutboundName];

export class NamespaceListeners {
  private readonly addresses = new VirtualAddresses();
  /** By what they are made of; made when somebody asks, thrown away when hosts change. */
  private readonly made = new Map<string, EncodedResource>();
  private model: MeshModel;

  constructor(model: MeshModel) {
    this.model = model;
    this.addresses.update(hostsWithVirtualAddress(model));
  }

  setModel(model: MeshModel): void {
    this.model = model;
    this.addresses.update(hostsWithVirtualAddress(model));
    this.made.clear();
  }

  /** Those that this sidecar has. */
  names({ dnsCapture, interception }: SidecarNode): string[] {
    return [
      ...(dnsCapture === null ? [] : [dnsListenerName]),
      ...(interception === null ? [] : [virtualOutboundName]),
    ];
  }

  get(node: SidecarNode, name: string, view: ScopeView): EncodedResource | undefined {
    const { namespace, dnsCapture, interception, accessLog, hasTunnels } = node;
    if (name === dnsListenerName && dnsCapture !== null)
      return this.resource(name, [view.scope.key, dnsCapture], () =>
        dnsListener(dnsCapture, namespace, this.model, this.addresses, view),
      );
    if (name === virtualOutboundName && interception !== null)
      return this.resource(name, [view.scope.key, interception.outbound, accessLog, hasTunnels], () =>
        encodeMessage(
          TypeUrl.listener,
          virtualOutbound(
            node,
            interception,
            opaqueDestinations(this.model, namespace, this.addresses, view, hasTunnels),
            view.scope.isRegistryOnly ? blackHoleCluster : originalDestinationCluster,
          ),
        ),
      );
    return undefined;
  }

  private resource(name: string, parts: readonly unknown[], encode: () => Uint8Array): EncodedResource {
    const key = JSON.stringify([name, ...parts]);
    let resource = this.made.get(key);
    if (resource === undefined) {
      resource = makeResource(TypeUrl.listener, name, encode());
      this.made.set(key, resource);
    }
    return resource;
  }
}
