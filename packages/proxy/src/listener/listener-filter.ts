// Hot path.
// The listener filters: each looks at one connection's first bytes and says what it found.
import { isIP } from 'node:net';
import { HttpSniffer } from '../inspect/http-sniffer.ts';
import { InspectResult } from '../inspect/inspect-result.ts';
import { type ProxyProtocolVersion, readProxyHeader } from '../inspect/proxy-protocol.ts';
import { TlsHelloScanner } from '../inspect/tls-hello-scanner.ts';
import type { OriginalDestinationProvider } from '../interception/original-destination.ts';
import type { Connection } from '../transport/transport.ts';
import type { InspectedConnection } from './inspected-connection.ts';
import type { InspectionMetrics, ProxyProtocolMetrics } from './inspection-metrics.ts';

/** What becomes of a connection after a look at its bytes. */
export const Verdict = {
  /** The filter is done; the next one's turn. */
  next: 0,
  needMore: 1,
  /** The connection is to be closed. */
  reject: 2,
} as const;

export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A filter at work on one connection. */
export interface ListenerFilterRun {
  /**
   * Looks at `buffer[start, end)`, everything of the connection that no filter before has taken away; the first `seen`
   * bytes were there at the last call. Called with no bytes at all at first.
   */
  inspect(buffer: Buffer, start: number, end: number, seen: number): Verdict;
}

/** A configured filter; makes its run for each connection. */
export type ListenerFilter = (connection: InspectedConnection) => ListenerFilterRun;

/** `envoy.filters.listener.original_dst`: where nobody knows it, the connection stays as it is. */
export function originalDestinationFilter(provider: OriginalDestinationProvider): ListenerFilter {
  return (inspected) => ({
    inspect: () => {
      const destination = provider.lookup(inspected.connection);
      if (destination !== null) inspected.connection.overrideAddresses(null, destination);
      return Verdict.next;
    },
  });
}

/** `envoy.filters.listener.original_src`: whatever a filter before has found out about the caller counts. */
export function originalSourceFilter(mark: number): ListenerFilter {
  return ({ connection }) => ({
    inspect: () => {
      // A Unix socket's caller has no address that anybody could connect from.
      if (isIP(connection.remoteAddress) !== 0)
        connection.upstreamSource = { host: connection.remoteAddress, isTransparent: true, mark };
      return Verdict.next;
    },
  });
}

/** `envoy.filters.listener.tls_inspector`. */
export function tlsInspector(metrics: InspectionMetrics): ListenerFilter {
  return (inspected) => {
    const scanner = new TlsHelloScanner();
    return {
      inspect: (buffer, start, end, seen) => {
        switch (scanner.scan(buffer, start + seen, end)) {
          case InspectResult.needMore:
            return Verdict.needMore;
          case InspectResult.tooLarge:
            metrics.helloTooLarge.value++;
            return Verdict.reject;
          case InspectResult.notFound:
            metrics.tlsNotFound.value++;
            return Verdict.next;
          default:
            noteHello(inspected, scanner, metrics);
            return Verdict.next;
        }
      },
    };
  };
}

function noteHello(
  inspected: InspectedConnection,
  scanner: TlsHelloScanner,
  metrics: InspectionMetrics,
): void {
  const { serverName, applicationProtocols } = scanner;
  inspected.transportProtocol = 'tls';
  inspected.serverName = serverName;
  inspected.connection.inspectedServerName = serverName;
  inspected.applicationProtocols = applicationProtocols;
  metrics.tlsFound.value++;
  (serverName === '' ? metrics.serverNameNotFound : metrics.serverNameFound).value++;
  (applicationProtocols.length === 0 ? metrics.alpnNotFound : metrics.alpnFound).value++;
}

/**
 * `envoy.filters.listener.http_inspector`: looks at plain connections only, and at none whose filter chain is decided: a client
 * that lets the server speak first would be waited for in vain.
 */
export function httpInspector(
  metrics: InspectionMetrics,
  isDecided: (connection: Connection) => boolean = () => false,
): ListenerFilter {
  return (inspected) => {
    const sniffer = new HttpSniffer();
    return {
      inspect: (buffer, start, end, seen) => {
        if (inspected.transportProtocol === 'tls' || isDecided(inspected.connection)) return Verdict.next;
        const result = sniffer.scan(buffer, start + seen, end);
        if (result === InspectResult.needMore) return Verdict.needMore;
        const { protocol } = sniffer;
        if (protocol !== '') inspected.applicationProtocols = [protocol];
        countHttp(protocol, metrics);
        return Verdict.next;
      },
    };
  };
}

function countHttp(protocol: string, metrics: InspectionMetrics): void {
  if (protocol === 'http/1.1') metrics.http11Found.value++;
  else if (protocol === 'http/1.0') metrics.http10Found.value++;
  else if (protocol === 'h2c') metrics.http2Found.value++;
  else metrics.httpNotFound.value++;
}

/** `envoy.filters.listener.proxy_protocol`. */
export function proxyProtocolFilter(
  metrics: ProxyProtocolMetrics,
  allowsConnectionsWithout: boolean,
  disallowedVersions: readonly ProxyProtocolVersion[],
): ListenerFilter {
  const without = (): Verdict => {
    (allowsConnectionsWithout ? metrics.notFoundAllowed : metrics.notFoundDisallowed).value++;
    return allowsConnectionsWithout ? Verdict.next : Verdict.reject;
  };
  return (inspected) => ({
    inspect: (buffer, start, end) => {
      const header = readProxyHeader(buffer.subarray(start, end), end - start);
      switch (header.kind) {
        case 'incomplete':
          return Verdict.needMore;
        case 'none':
          return without();
        case 'invalid':
          metrics.version(header.version).error.value++;
          return Verdict.reject;
        default:
          if (disallowedVersions.includes(header.version)) {
            metrics.version(header.version).disallowed.value++;
            return Verdict.reject;
          }
          metrics.version(header.version).found.value++;
          inspected.consume(header.length);
          if (header.addresses !== null) {
            const { source, destination } = header.addresses;
            inspected.connection.overrideAddresses(source, destination);
          }
          return Verdict.next;
      }
    },
  });
}
