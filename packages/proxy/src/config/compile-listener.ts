import { createHash } from 'node:crypto';
import { TypeUrl } from '@heddle/xds';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import { type Filter, FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { ConnectionFilterSettings } from '../policy/connection-filter-config.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import { addressAt, describeAddress } from '../transport/address.ts';
import type { DownstreamTlsConfig } from '../tls/tls-config.ts';
import { FilterChainMatcher } from '../listener/filter-chain-matcher.ts';
import { compileListenAddress } from './compile-address.ts';
import { compileAccessLogs } from './compile-access-log.ts';
import { compileConnectionLimit } from './compile-connection-limit.ts';
import { compileFilterChainMatch } from './compile-filter-chain-match.ts';
import { compileConnectionRbac } from './compile-connection-filters.ts';
import { type CompiledHttp, compileHttp, defaultBufferLimitBytes } from './compile-http.ts';
import { compileListenerFilters } from './compile-listener-filters.ts';
import { type CompiledTcp, compileTcpProxy } from './compile-tcp-proxy.ts';
import { compileDownstreamTls } from './compile-tls.ts';
import type {
  ConnectionLimitConfig,
  FilterChainMatchConfig,
  ListenAddress,
  ListenerConfig,
  ListenerFilters,
} from './listener-config.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { type TlsMaterials, noMaterials } from './tls-materials.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** Envoy has no limit where a chain says nothing: clients that fall silent would stay for ever. */
const defaultHandshakeTimeoutMs = 10_000;

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
  readonly connectionFilters: readonly ConnectionFilterSettings[];
  readonly handshakeTimeoutMs: number;
  readonly limits: readonly ConnectionLimitConfig[];
  readonly filter: CompiledFilter;
}

/** A listener as its resource describes it. */
export interface CompiledListener {
  readonly name: string;
  readonly statPrefix: string;
  readonly address: ListenAddress;
  readonly direction: ListenerConfig<never>['direction'];
  readonly bindsToPort: boolean;
  readonly isTransparent: boolean;
  readonly usesOriginalDestination: boolean;
  readonly ignoresTotalLimit: boolean;
  readonly listenerFilters: ListenerFilters;
  readonly accessLogs: ListenerConfig<never>['accessLogs'];
  readonly filterChains: readonly CompiledChain[];
  readonly defaultFilterChain: CompiledChain | null;
}

/**
 * Compiles a listener; null with problems noted. Accepted without effect: `metadata` and `enable_reuse_port`;
 * `per_connection_buffer_limit_bytes` bounds the bodies that are kept for retries, all else the transport bounds.
 */
export function compileListener(
  listener: Listener,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
): CompiledListener | null {
  const address = compileListenAddress(listener.address, 'address', problems);
  if (listener.tcpBacklogSize !== undefined) problems.unsupported('tcp_backlog_size');
  if (listener.udpListenerConfig !== undefined) problems.unsupported('udp_listener_config');
  const bufferLimit = listener.perConnectionBufferLimitBytes ?? defaultBufferLimitBytes;
  const filterChains: CompiledChain[] = [];
  for (const [index, chain] of listener.filterChains.entries()) {
    const compiled = compileChain(chain, `filter_chains[${index}]`, bufferLimit, problems, materials);
    if (compiled !== null) filterChains.push(compiled);
  }
  const defaultChain = listener.defaultFilterChain;
  const defaultFilterChain =
    defaultChain === undefined
      ? null
      : compileChain(defaultChain, 'default_filter_chain', bufferLimit, problems, materials);
  if (listener.filterChains.length === 0 && defaultChain === undefined)
    problems.invalid('filter_chains', 'must not be empty');
  if (defaultFilterChain !== null && defaultFilterChain.match !== null)
    problems.invalid('default_filter_chain.filter_chain_match', 'the default chain takes whatever is left');
  const matches = filterChains.map(({ match }) => match);
  const listenerFilters = compileListenerFilters(listener, matches, problems);
  if (problems.isEmpty) checkDuplicates(matches, problems);
  if (address === null || (filterChains.length === 0 && defaultFilterChain === null)) return null;
  return {
    name: listener.name === '' ? describeAddress(addressAt(address.host, address.port)) : listener.name,
    statPrefix: listener.statPrefix,
    address,
    direction: directionOf(listener.trafficDirection),
    bindsToPort: listener.bindToPort ?? true,
    isTransparent: listener.transparent ?? false,
    usesOriginalDestination: listener.useOriginalDst ?? false,
    ignoresTotalLimit: listener.ignoreGlobalConnLimit,
    listenerFilters,
    accessLogs: compileAccessLogs(listener.accessLog, 'access_log', problems),
    filterChains,
    defaultFilterChain,
  };
}

/** Of two chains that match the same connections one would never serve any. */
function checkDuplicates(matches: readonly (FilterChainMatchConfig | null)[], problems: ProblemList): void {
  for (const [later, earlier] of new FilterChainMatcher(matches).duplicates) {
    problems.invalid(
      `filter_chains[${later}].filter_chain_match`,
      `matches connections that filter_chains[${earlier}] matches with the same conditions`,
    );
  }
}

function compileChain(
  chain: FilterChain,
  path: string,
  bufferLimit: number,
  problems: ProblemList,
  materials: TlsMaterials,
): CompiledChain | null {
  const match =
    chain.filterChainMatch === undefined
      ? null
      : compileFilterChainMatch(chain.filterChainMatch, `${path}.filter_chain_match`, problems);
  const timeoutPath = `${path}.transport_socket_connect_timeout`;
  const handshakeTimeoutMs = durationMs(
    chain.transportSocketConnectTimeout,
    defaultHandshakeTimeoutMs,
    timeoutPath,
    problems,
  );
  const tls = compileDownstreamTls(chain.transportSocket, `${path}.transport_socket`, problems, materials);
  const fingerprint = createHash('sha256')
    .update(FilterChain.encode(chain).finish())
    .update(`${bufferLimit}`)
    .digest('hex');
  const filters = compileFilters(chain.filters, `${path}.filters`, bufferLimit, problems);
  if (filters === null) return null;
  return { name: chain.name, fingerprint, match, tls, handshakeTimeoutMs, ...filters };
}

/** The network filters of a chain: those that decide whether a connection may stay, and the last, which ends the chain. */
function compileFilters(
  filters: readonly Filter[],
  path: string,
  bufferLimit: number,
  problems: ProblemList,
): Pick<CompiledChain, 'limits' | 'connectionFilters' | 'filter'> | null {
  if (filters.length === 0) problems.invalid(path, 'must not be empty');
  const limits: ConnectionLimitConfig[] = [];
  const connectionFilters: ConnectionFilterSettings[] = [];
  let filter: CompiledFilter | null = null;
  for (const [index, { name, configType }] of filters.entries()) {
    const place = `${path}[${index}]`;
    if (filter !== null) problems.invalid(place, `nothing can follow what ends a chain already`);
    const config = configType?.value;
    if (config?.typeUrl === TypeUrl.connectionLimit) {
      const limit = unpackConfig(config, TypeUrl.connectionLimit, `${place}.typed_config`, problems);
      if (limit !== null) limits.push(compileConnectionLimit(limit, `${place}.typed_config`, problems));
    } else if (config?.typeUrl === TypeUrl.networkRbac) {
      const settings = compileConnectionRbac(config, `${place}.typed_config`, problems);
      if (settings !== null) connectionFilters.push(settings);
    } else {
      filter = compileFilter(name, config, place, bufferLimit, problems) ?? filter;
    }
  }
  if (filter === null && problems.isEmpty)
    problems.invalid(
      path,
      'needs a last filter that serves',
      'add an HTTP connection manager or a TCP proxy',
    );
  return filter === null ? null : { limits, connectionFilters, filter };
}

function compileFilter(
  name: string,
  config: Any | undefined,
  place: string,
  bufferLimit: number,
  problems: ProblemList,
): CompiledFilter | null {
  const path = `${place}.typed_config`;
  if (config?.typeUrl === TypeUrl.httpConnectionManager) {
    const manager = unpackConfig(config, TypeUrl.httpConnectionManager, path, problems);
    return manager === null ? null : { kind: 'http', ...compileHttp(manager, path, problems, bufferLimit) };
  }
  if (config?.typeUrl === TypeUrl.tcpProxy) {
    const proxy = unpackConfig(config, TypeUrl.tcpProxy, path, problems);
    return proxy === null ? null : { kind: 'tcp', ...compileTcpProxy(proxy, path, problems) };
  }
  refuseExtension(name, config, place, problems);
  return null;
}

function directionOf(direction: TrafficDirection): ListenerConfig<never>['direction'] {
  if (direction === TrafficDirection.INBOUND) return 'inbound';
  return direction === TrafficDirection.OUTBOUND ? 'outbound' : 'unspecified';
}
