import { createHash } from 'node:crypto';
import { TypeUrl } from '@heddle/xds';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import {
  type Filter,
  FilterChain,
  type FilterChainMatch,
  FilterChainMatch_ConnectionSourceType as SourceType,
} from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { DownstreamTlsConfig } from '../tls/tls-config.ts';
import { compileAddress } from './compile-address.ts';
import { type CompiledHttp, compileHttp } from './compile-http.ts';
import { type CompiledTcp, compileTcpProxy } from './compile-tcp-proxy.ts';
import { compileDownstreamTls } from './compile-tls.ts';
import type { FilterChainMatchConfig, ListenAddress, ListenerConfig } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';
import { type TlsMaterials, noMaterials } from './tls-materials.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** A network filter that ends a chain; its routes or clusters are still to be found. */
export type CompiledFilter =
  | ({ readonly kind: 'http' } & CompiledHttp)
  | ({ readonly kind: 'tcp' } & CompiledTcp);

/** A filter chain as its message describes it; its routes are still to be found. */
export interface CompiledChain {
  readonly name: string;
  readonly fingerprint: string;
  readonly match: FilterChainMatchConfig | null;
  readonly tls: DownstreamTlsConfig | null;
  readonly filter: CompiledFilter;
}

/** A listener as its resource describes it. */
export interface CompiledListener {
  readonly name: string;
  readonly address: ListenAddress;
  readonly direction: ListenerConfig<never>['direction'];
  readonly filterChains: readonly CompiledChain[];
  readonly defaultFilterChain: CompiledChain | null;
}

/**
 * Compiles a listener; null with problems noted. Accepted without effect: `metadata`, `stat_prefix`,
 * `per_connection_buffer_limit_bytes` (our buffers are bounded by the transport), `enable_reuse_port`, and the timeouts of
 * listener filters that it hasn't.
 */
export function compileListener(
  listener: Listener,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
): CompiledListener | null {
  const address = compileAddress(listener.address, 'address', problems);
  for (const [index, filter] of listener.listenerFilters.entries()) {
    refuseExtension(filter.name, filter.configType?.value, `listener_filters[${index}]`, problems);
  }
  if (listener.accessLog.length > 0) problems.unsupported('access_log');
  if (listener.tcpBacklogSize !== undefined) problems.unsupported('tcp_backlog_size');
  if (listener.udpListenerConfig !== undefined) problems.unsupported('udp_listener_config');
  if (listener.transparent === true) problems.unsupported('transparent');
  if (listener.bindToPort === false) problems.unsupported('bind_to_port');
  if (listener.useOriginalDst === true) problems.unsupported('use_original_dst');
  if (listener.defaultFilterChain !== undefined) problems.unsupported('default_filter_chain');
  const [chain, second] = listener.filterChains;
  if (second !== undefined) problems.unsupported('filter_chains[1]', 'a second filter chain');
  if (chain === undefined) {
    problems.invalid('filter_chains', 'must not be empty');
    return null;
  }
  const compiled = compileChain(chain, 'filter_chains[0]', problems, materials);
  if (address === null || compiled === null) return null;
  const name = listener.name === '' ? hostPort(address.host, address.port) : listener.name;
  const direction = directionOf(listener.trafficDirection);
  return { name, address, direction, filterChains: [compiled], defaultFilterChain: null };
}

function compileChain(
  chain: FilterChain,
  path: string,
  problems: ProblemList,
  materials: TlsMaterials,
): CompiledChain | null {
  if (chain.filterChainMatch !== undefined)
    checkNoMatch(chain.filterChainMatch, `${path}.filter_chain_match`, problems);
  if (chain.transportSocketConnectTimeout !== undefined) {
    problems.unsupported(`${path}.transport_socket_connect_timeout`);
  }
  const tls = compileDownstreamTls(chain.transportSocket, `${path}.transport_socket`, problems, materials);
  const fingerprint = createHash('sha256').update(FilterChain.encode(chain).finish()).digest('hex');
  const filter = compileFilters(chain.filters, `${path}.filters`, problems);
  return filter === null ? null : { name: chain.name, fingerprint, match: null, tls, filter };
}

/** The network filter that ends the chain; it must be the only one. */
function compileFilters(
  filters: readonly Filter[],
  path: string,
  problems: ProblemList,
): CompiledFilter | null {
  if (filters.length === 0) problems.invalid(path, 'must not be empty');
  let compiled: CompiledFilter | null = null;
  for (const [index, filter] of filters.entries()) {
    const place = `${path}[${index}]`;
    const next = compileFilter(filter, place, problems);
    if (next === null) continue;
    if (compiled !== null) problems.invalid(place, `nothing can follow what ends a chain already`);
    compiled = next;
  }
  return compiled;
}

function compileFilter(filter: Filter, place: string, problems: ProblemList): CompiledFilter | null {
  const config = filter.configType?.value;
  const path = `${place}.typed_config`;
  if (config?.typeUrl === TypeUrl.httpConnectionManager) {
    const manager = unpackConfig(config, TypeUrl.httpConnectionManager, path, problems);
    return manager === null ? null : { kind: 'http', ...compileHttp(manager, path, problems) };
  }
  if (config?.typeUrl === TypeUrl.tcpProxy) {
    const proxy = unpackConfig(config, TypeUrl.tcpProxy, path, problems);
    return proxy === null ? null : { kind: 'tcp', ...compileTcpProxy(proxy, path, problems) };
  }
  refuseExtension(filter.name, config, place, problems);
  return null;
}

function checkNoMatch(match: FilterChainMatch, path: string, problems: ProblemList): void {
  const refuse = (isAsked: boolean, field: string): void => {
    if (isAsked) problems.unsupported(`${path}.${field}`);
  };
  refuse(match.prefixRanges.length > 0, 'prefix_ranges');
  refuse(match.destinationPort !== undefined, 'destination_port');
  refuse(match.transportProtocol !== '', 'transport_protocol');
  refuse(match.applicationProtocols.length > 0, 'application_protocols');
  refuse(match.serverNames.length > 0, 'server_names');
  refuse(match.sourceType !== SourceType.ANY, 'source_type');
  refuse(match.sourcePorts.length > 0, 'source_ports');
  refuse(match.sourcePrefixRanges.length > 0, 'source_prefix_ranges');
  refuse(match.directSourcePrefixRanges.length > 0, 'direct_source_prefix_ranges');
}

function directionOf(direction: TrafficDirection): ListenerConfig<never>['direction'] {
  if (direction === TrafficDirection.INBOUND) return 'inbound';
  return direction === TrafficDirection.OUTBOUND ? 'outbound' : 'unspecified';
}
