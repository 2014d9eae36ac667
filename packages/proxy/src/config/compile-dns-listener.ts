import { TypeUrl } from '@heddle/xds';
import { SocketAddress_Protocol as Protocol } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { DnsTable } from '@heddle/xds/api/envoy/data/dns/v3/dns_table.ts';
import type { DnsFilterConfig } from '@heddle/xds/api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { DnsListenerConfig } from '../dns/dns-listener-config.ts';
import { ipBytes } from '../dns/ip-address.ts';
import type { TableEntry } from '../dns/name-table.ts';
import { isWritableName } from '../dns/write-message.ts';
import { compileSocketAddress } from './compile-address.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** Envoy's defaults. */
const defaultTtlMs = 300_000;
const minTtlMs = 30_000;
const defaultMaxPendingLookups = 256;
const maxRetries = 3;

/** Whether a listener is one for datagrams: then it is a DNS listener or none of ours. */
export function isDatagramListener({ address }: Listener): boolean {
  const specifier = address?.address;
  return specifier?.$case === 'socketAddress' && specifier.value.protocol === Protocol.UDP;
}

/**
 * Compiles a UDP listener with Envoy's DNS filter; null with problems noted. Accepted without effect: `metadata`,
 * `stat_prefix`, `enable_reuse_port`, `udp_listener_config`, `traffic_direction`.
 */
export function compileDnsListener(listener: Listener, problems: ProblemList): DnsListenerConfig | null {
  const address = compileSocketAddress(listener.address, 'address', Protocol.UDP, problems);
  if (listener.filterChains.length > 0) problems.invalid('filter_chains', 'do not go with UDP');
  if (listener.bindToPort === false) problems.unsupported('bind_to_port');
  const [filter, second] = listener.listenerFilters;
  if (second !== undefined) problems.unsupported('listener_filters[1]', 'a second filter');
  const path = 'listener_filters[0]';
  const any = filter?.configType?.value;
  if (filter === undefined) problems.invalid('listener_filters', 'must hold a DNS filter');
  else if (any?.typeUrl !== TypeUrl.dnsFilter) refuseExtension(filter.name, any, path, problems);
  if (any?.typeUrl !== TypeUrl.dnsFilter) return null;
  const message = unpackConfig(any, TypeUrl.dnsFilter, `${path}.typed_config`, problems);
  if (message === null || address === null) return null;
  const name = listener.name === '' ? hostPort(address.host, address.port) : listener.name;
  return { name, address, ...compileFilter(message, `${path}.typed_config`, problems) };
}

function compileFilter(
  { statPrefix, serverConfig, clientConfig }: DnsFilterConfig,
  path: string,
  problems: ProblemList,
): Omit<DnsListenerConfig, 'name' | 'address'> {
  if (statPrefix === '') problems.invalid(`${path}.stat_prefix`, 'must not be empty');
  const table = serverConfig?.configSource?.value;
  const servers = (clientConfig?.upstreamResolvers ?? []).flatMap((resolver, index) => {
    const place = `${path}.client_config.upstream_resolvers[${index}]`;
    const server = compileSocketAddress(resolver, place, null, problems);
    return server === null ? [] : [server];
  });
  const timeout = clientConfig?.resolverTimeout;
  const retries = table?.externalRetryCount ?? 0;
  const tablePath = `${path}.server_config.inline_dns_table`;
  if (retries > maxRetries)
    problems.invalid(`${tablePath}.external_retry_count`, `must be 0 to ${maxRetries}`);
  const maxPending = clientConfig?.maxPendingLookups ?? 0;
  return {
    statPrefix,
    entries: table === undefined ? [] : compileTable(table, tablePath, problems),
    servers: servers.length === 0 ? null : servers,
    timeoutMs:
      timeout === undefined
        ? null
        : durationMs(timeout, 0, `${path}.client_config.resolver_timeout`, problems),
    attempts: retries === 0 ? null : retries + 1,
    maxPendingLookups: maxPending === 0 ? defaultMaxPendingLookups : maxPending,
  };
}

function compileTable(table: DnsTable, path: string, problems: ProblemList): TableEntry[] {
  const seen = new Set<string>();
  return table.virtualDomains.map((domain, index) => {
    const place = `${path}.virtual_domains[${index}]`;
    const name = domain.name.toLowerCase().replace(/\.$/, '');
    if (name === '' || !isWritableName(name) || name.slice(1).includes('*') || /^\*[^.]/.test(name)) {
      problems.invalid(`${place}.name`, `"${domain.name}" is no host name`);
    }
    if (seen.has(name)) problems.invalid(`${place}.name`, `there is another one with the name ${name}`);
    seen.add(name);
    const addresses = domain.endpoint?.endpointConfig?.value.address ?? [];
    if (addresses.length === 0) problems.invalid(`${place}.endpoint`, 'needs an address');
    for (const [position, address] of addresses.entries()) {
      if (ipBytes(address) !== null) continue;
      problems.invalid(
        `${place}.endpoint.address_list.address[${position}]`,
        `"${address}" is no IP address`,
      );
    }
    const ttlMs = durationMs(domain.answerTtl, defaultTtlMs, `${place}.answer_ttl`, problems);
    if (ttlMs < minTtlMs) problems.invalid(`${place}.answer_ttl`, 'must be at least 30 s');
    return { name, addresses, ttlSeconds: Math.floor(ttlMs / 1000) };
  });
}
