import { isIP } from 'node:net';
import type { CidrRange as CidrRangeMessage } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import {
  type FilterChainMatch,
  FilterChainMatch_ConnectionSourceType as SourceType,
} from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { addressBytes } from '../transport/ip-address.ts';
import type { CidrRange, FilterChainMatchConfig } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

const maxPort = 65_535;

/** Compiles what a filter chain at `path` asks of its connections. */
export function compileFilterChainMatch(
  match: FilterChainMatch,
  path: string,
  problems: ProblemList,
): FilterChainMatchConfig {
  const destinationPort = match.destinationPort ?? 0;
  if (match.destinationPort !== undefined) checkPort(destinationPort, `${path}.destination_port`, problems);
  for (const [index, port] of match.sourcePorts.entries())
    checkPort(port, `${path}.source_ports[${index}]`, problems);
  const ranges = (list: readonly CidrRangeMessage[], field: string): CidrRange[] =>
    list.flatMap((range, index) => compileRange(range, `${path}.${field}[${index}]`, problems) ?? []);
  return {
    destinationPort,
    destinationRanges: ranges(match.prefixRanges, 'prefix_ranges'),
    serverNames: compileServerNames(match.serverNames, `${path}.server_names`, problems),
    transportProtocol: compileTransportProtocol(match.transportProtocol, path, problems),
    applicationProtocols: match.applicationProtocols,
    directSourceRanges: ranges(match.directSourcePrefixRanges, 'direct_source_prefix_ranges'),
    sourceType: compileSourceType(match.sourceType, path, problems),
    sourceRanges: ranges(match.sourcePrefixRanges, 'source_prefix_ranges'),
    sourcePorts: match.sourcePorts,
  };
}

function checkPort(port: number, path: string, problems: ProblemList): void {
  if (port < 1 || port > maxPort) problems.invalid(path, `must be 1 to ${maxPort}`);
}

/** The range with the bits behind its prefix cleared; null with a problem noted. */
export function compileRange(range: CidrRangeMessage, path: string, problems: ProblemList): CidrRange | null {
  const text = range.addressPrefix;
  if (isIP(text) === 0) {
    problems.invalid(`${path}.address_prefix`, `"${text}" is no IP address`);
    return null;
  }
  const bytes = Uint8Array.from(addressBytes(text));
  // Of an IPv4 address that is written as IPv6 the prefix counts from the front of the longer one.
  const extra = isIP(text) === 6 && bytes.length === 4 ? 96 : 0;
  const bits = (range.prefixLen ?? 0) - extra;
  if (bits < 0 || bits > bytes.length * 8) {
    problems.invalid(`${path}.prefix_len`, `must be ${extra} to ${bytes.length * 8 + extra}`);
    return null;
  }
  for (let index = 0; index < bytes.length; index++) {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    bytes[index] = bytes[index]! & (0xff << (8 - kept));
  }
  return { bytes, bits };
}

function compileServerNames(names: readonly string[], path: string, problems: ProblemList): string[] {
  return names.map((name, index) => {
    const rest = name.startsWith('*.') ? name.slice(2) : name;
    if (rest === '' || rest.includes('*')) {
      problems.invalid(`${path}[${index}]`, `"${name}" is neither a name nor "*." with one behind it`);
    }
    return name.toLowerCase();
  });
}

function compileTransportProtocol(
  protocol: string,
  path: string,
  problems: ProblemList,
): FilterChainMatchConfig['transportProtocol'] {
  if (protocol === '' || protocol === 'raw_buffer' || protocol === 'tls') return protocol;
  problems.unsupported(`${path}.transport_protocol`, `"${protocol}"`, 'use tls or raw_buffer');
  return '';
}

function compileSourceType(
  type: SourceType,
  path: string,
  problems: ProblemList,
): FilterChainMatchConfig['sourceType'] {
  switch (type) {
    case SourceType.ANY:
      return 'any';
    case SourceType.SAME_IP_OR_LOOPBACK:
      return 'same-ip-or-loopback';
    case SourceType.EXTERNAL:
      return 'external';
    default:
      problems.invalid(`${path}.source_type`, 'is no known value');
      return 'any';
  }
}
