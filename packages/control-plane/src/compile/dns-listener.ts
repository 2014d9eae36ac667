/** The listener that answers DNS for an intercepted application: the mesh's names with their virtual addresses. */
import { type MeshModel, hostAliases } from '@heddle/model';
import { type DeepPartial, encodeMessage, packAny, TypeUrl } from '@heddle/xds';
import { SocketAddress_Protocol } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { DnsTable_DnsVirtualDomain } from '@heddle/xds/api/envoy/data/dns/v3/dns_table.ts';
import { addressesOf, needsVirtualAddress } from './declared-addresses.ts';
import type { Bind } from './node-metadata.ts';
import type { ScopeView } from './scope-view.ts';
import type { VirtualAddresses } from './virtual-addresses.ts';

export const dnsListenerName = 'dns';

/** Istio's. */
const answerTtl = { seconds: 30, nanos: 0 };

/** The hosts that get a virtual address. */
export function hostsWithVirtualAddress(model: MeshModel): Set<string> {
  const hosts = new Set<string>();
  for (const [name, host] of model.hosts) if (needsVirtualAddress(host)) hosts.add(name);
  return hosts;
}

/** Encoded; what an application of this namespace may ask for, short names too, and nothing it may not see. */
export function dnsListener(
  bind: Bind,
  namespace: string,
  model: MeshModel,
  addresses: VirtualAddresses,
  scope: Pick<ScopeView, 'names'>,
): Uint8Array {
  const domains: DeepPartial<DnsTable_DnsVirtualDomain>[] = [];
  const taken = new Set<string>();
  for (const [name, host] of [...model.hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!scope.names(name)) continue;
    const view = host.views.get(namespace) ?? host.shared;
    const address = addressesOf(view, addresses.get(name));
    if (address.length === 0 || host.service === null || view.ports.length === 0) continue;
    const endpoint = {
      endpointConfig: { $case: 'addressList' as const, value: { address: [...address] } },
    };
    for (const alias of hostAliases(host.service, namespace)) {
      const domain = alias.toLowerCase();
      if (taken.has(domain)) continue;
      taken.add(domain);
      domains.push({ name: domain, endpoint, answerTtl });
    }
  }
  const filter = packAny(TypeUrl.dnsFilter, {
    statPrefix: dnsListenerName,
    serverConfig: { configSource: { $case: 'inlineDnsTable', value: { virtualDomains: domains } } },
  });
  return encodeMessage(TypeUrl.listener, {
    name: dnsListenerName,
    address: {
      address: {
        $case: 'socketAddress',
        value: {
          protocol: SocketAddress_Protocol.UDP,
          address: bind.address,
          portSpecifier: { $case: 'portValue', value: bind.port },
        },
      },
    },
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: [
      { name: 'envoy.filters.udp.dns_filter', configType: { $case: 'typedConfig', value: filter } },
    ],
  });
}
