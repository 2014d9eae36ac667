/** Applies the patches of EnvoyFilters to a listener that an Envoy is to get. */
import { TypeUrl, unpackAny } from '@heddle/xds';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { Filter, FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import {
  HttpConnectionManager,
  type HttpFilter,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { SidecarNode } from '../node-metadata.ts';
import type { ConfigPatch } from './filter-index.ts';
import { httpFilterOf, networkFilterOf } from './opaque-config.ts';

type ListenerMatch = NonNullable<NonNullable<ConfigPatch['match']>['listener']>;

/** The listener as it was where no patch is for it. */
export function patchListener(
  encoded: Uint8Array,
  node: SidecarNode,
  patches: readonly ConfigPatch[],
): Uint8Array {
  const listener = Listener.decode(encoded);
  let isChanged = false;
  for (const patch of patches) {
    if (!isFor(patch, listener, node)) continue;
    const chains = [...listener.filterChains];
    if (listener.defaultFilterChain !== undefined) chains.push(listener.defaultFilterChain);
    for (const chain of chains) {
      if (!matchesChain(patch.match?.listener?.filterChain, chain)) continue;
      if (patch.applyTo === 'NETWORK_FILTER') isChanged = patchNetworkFilters(chain, patch) || isChanged;
      else if (patch.applyTo === 'HTTP_FILTER') isChanged = patchManagers(chain, patch) || isChanged;
    }
  }
  return isChanged ? Listener.encode(listener).finish() : encoded;
}

function isFor({ match }: ConfigPatch, listener: Listener, node: SidecarNode): boolean {
  const { context = 'ANY', proxy, listener: wanted } = match ?? {};
  const isInbound = listener.trafficDirection === TrafficDirection.INBOUND;
  if (context !== 'ANY' && context !== (isInbound ? 'SIDECAR_INBOUND' : 'SIDECAR_OUTBOUND')) return false;
  // No proxy of this mesh has a version or the metadata of Istio's.
  if (proxy?.proxyVersion !== undefined || proxy?.metadata !== undefined) return false;
  if (match?.routeConfiguration !== undefined || match?.cluster !== undefined) return false;
  if (wanted?.name !== undefined && wanted.name !== listener.name) return false;
  if (wanted?.portName !== undefined || wanted?.listenerFilter !== undefined) return false;
  return wanted?.portNumber === undefined || wanted.portNumber === portOf(listener, node, isInbound);
}

/** The service's port that a listener stands for; undefined where there are many. */
function portOf({ name }: Listener, { servicePort }: SidecarNode, isInbound: boolean): number | undefined {
  if (isInbound) return servicePort;
  const [kind, , port] = name.split('|');
  return kind === 'upstream' ? Number(port) : undefined;
}

function matchesChain(wanted: ListenerMatch['filterChain'], chain: FilterChain): boolean {
  const match = chain.filterChainMatch;
  if (wanted === undefined) return true;
  const { name, sni, transportProtocol, applicationProtocols, destinationPort } = wanted;
  const protocols = applicationProtocols?.split(',').map((protocol) => protocol.trim()) ?? [];
  return (
    (name === undefined || name === chain.name) &&
    (sni === undefined || match?.serverNames.includes(sni) === true) &&
    (transportProtocol === undefined || match?.transportProtocol === transportProtocol) &&
    protocols.every((protocol) => match?.applicationProtocols.includes(protocol) === true) &&
    (destinationPort === undefined || match?.destinationPort === destinationPort)
  );
}

function patchNetworkFilters(chain: FilterChain, patch: ConfigPatch): boolean {
  const made = networkFilterOf(patch.patch?.value ?? {});
  const patched = applied(chain.filters, made, patch, patch.match?.listener?.filterChain?.filter?.name);
  if (patched === null) return false;
  chain.filters = patched;
  return true;
}

function patchManagers(chain: FilterChain, patch: ConfigPatch): boolean {
  const wanted = patch.match?.listener?.filterChain?.filter;
  let isChanged = false;
  for (const filter of chain.filters) {
    if (wanted?.name !== undefined && wanted.name !== filter.name) continue;
    const manager = managerOf(filter);
    if (manager === null) continue;
    const made = httpFilterOf(patch.patch?.value ?? {});
    const patched = applied<HttpFilter>(manager.httpFilters, made, patch, wanted?.subFilter?.name);
    if (patched === null) continue;
    manager.httpFilters = patched;
    const value = HttpConnectionManager.encode(manager).finish();
    filter.configType = { $case: 'typedConfig', value: { typeUrl: TypeUrl.httpConnectionManager, value } };
    isChanged = true;
  }
  return isChanged;
}

function managerOf({ configType }: Filter): HttpConnectionManager | null {
  const any = configType?.value;
  if (any?.typeUrl !== TypeUrl.httpConnectionManager) return null;
  const manager = unpackAny(any, TypeUrl.httpConnectionManager);
  return manager.ok ? { ...manager.value } : null;
}

/** The list after one patch; null where it says nothing to it. `at` is the name of the filter that it is about. */
function applied<T extends { readonly name: string }>(
  filters: readonly T[],
  made: T | string,
  { patch }: ConfigPatch,
  at: string | undefined,
): T[] | null {
  const index = at === undefined ? -1 : filters.findIndex(({ name }) => name === at);
  if (at !== undefined && index < 0) return null;
  if (patch?.operation === 'REMOVE')
    return at === undefined ? null : filters.filter(({ name }) => name !== at);
  if (typeof made === 'string') return null;
  switch (patch?.operation) {
    case 'INSERT_FIRST':
      return [made, ...filters];
    case 'INSERT_BEFORE':
      return filters.toSpliced(Math.max(index, 0), 0, made);
    case 'INSERT_AFTER':
      // The last filter is the one that sends on: nothing may stand behind it.
      return filters.toSpliced(index < 0 ? filters.length - 1 : index + 1, 0, made);
    case 'ADD':
      return filters.toSpliced(filters.length - 1, 0, made);
    case 'REPLACE':
      return at === undefined ? null : filters.map((filter, place) => (place === index ? made : filter));
    default:
      return null;
  }
}
