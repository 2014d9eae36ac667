import { TypeUrl } from '@heddle/xds';
import { ProxyProtocolConfig_Version as Version } from '@heddle/xds/api/envoy/config/core/v3/proxy_protocol.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { ListenerFilter } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { ProxyProtocol } from '@heddle/xds/api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.ts';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import { durationMs } from './duration.ts';
import type { FilterChainMatchConfig, ListenerFilterConfig, ListenerFilters } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** Envoy's default. */
const defaultTimeoutMs = 15_000;

/** Compiles what is done with a connection before its filter chain is chosen. */
export function compileListenerFilters(
  listener: Listener,
  matches: readonly (FilterChainMatchConfig | null)[],
  problems: ProblemList,
): ListenerFilters {
  const filters: ListenerFilterConfig[] = [];
  for (const [index, filter] of listener.listenerFilters.entries()) {
    const compiled = compileFilter(filter, `listener_filters[${index}]`, problems);
    if (compiled !== null) filters.push(compiled);
  }
  const hasTlsInspector = filters.some(({ kind }) => kind === 'tls-inspector');
  // As Envoy does where chains ask for what only a TLS inspector knows.
  if (!hasTlsInspector && matches.some(needsTlsInspector)) filters.push({ kind: 'tls-inspector' });
  return {
    filters,
    timeoutMs: durationMs(
      listener.listenerFiltersTimeout,
      defaultTimeoutMs,
      'listener_filters_timeout',
      problems,
    ),
    continuesOnTimeout: listener.continueOnListenerFiltersTimeout,
  };
}

function needsTlsInspector(match: FilterChainMatchConfig | null): boolean {
  if (match === null) return false;
  const { transportProtocol, serverNames, applicationProtocols } = match;
  const asksForNames = serverNames.length > 0 || applicationProtocols.length > 0;
  return transportProtocol === 'tls' || (transportProtocol === '' && asksForNames);
}

function compileFilter(
  filter: ListenerFilter,
  place: string,
  problems: ProblemList,
): ListenerFilterConfig | null {
  const config = filter.configType?.value;
  const path = `${place}.typed_config`;
  switch (config?.typeUrl) {
    case TypeUrl.tlsInspector: {
      const inspector = unpackConfig(config, TypeUrl.tlsInspector, path, problems);
      // How much is read at once is the transport's affair: `initial_read_buffer_size` is without effect.
      if (inspector?.enableJa3Fingerprinting === true)
        problems.unsupported(`${path}.enable_ja3_fingerprinting`);
      return { kind: 'tls-inspector' };
    }
    case TypeUrl.httpInspector:
      unpackConfig(config, TypeUrl.httpInspector, path, problems);
      return { kind: 'http-inspector' };
    case TypeUrl.originalDst:
      unpackConfig(config, TypeUrl.originalDst, path, problems);
      return { kind: 'original-dst' };
    case TypeUrl.originalSrc: {
      const source = unpackConfig(config, TypeUrl.originalSrc, path, problems);
      // The caller's port may be in use here, by the caller's own connection above all.
      if (source?.bindPort === true) problems.unsupported(`${path}.bind_port`);
      return { kind: 'original-src', mark: source?.mark ?? 0 };
    }
    case TypeUrl.proxyProtocol: {
      const protocol = unpackConfig(config, TypeUrl.proxyProtocol, path, problems);
      return protocol === null ? null : compileProxyProtocol(protocol, path, problems);
    }
    default:
      refuseExtension(filter.name, config, place, problems);
      return null;
  }
}

function compileProxyProtocol(
  protocol: ProxyProtocol,
  path: string,
  problems: ProblemList,
): ListenerFilterConfig {
  if (protocol.rules.length > 0) problems.unsupported(`${path}.rules`);
  if (protocol.passThroughTlvs !== undefined) problems.unsupported(`${path}.pass_through_tlvs`);
  const disallowed = new Set<ProxyProtocolVersion>();
  for (const version of protocol.disallowedVersions) disallowed.add(version === Version.V1 ? 1 : 2);
  if (disallowed.size === 2 && !protocol.allowRequestsWithoutProxyProtocol)
    problems.invalid(`${path}.disallowed_versions`, 'nothing could connect: both versions are disallowed');
  return {
    kind: 'proxy-protocol',
    allowsConnectionsWithout: protocol.allowRequestsWithoutProxyProtocol,
    disallowedVersions: [...disallowed],
    statPrefix: protocol.statPrefix,
  };
}
