import type { Counter, Labels, MetricScope } from '@heddle/telemetry';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';

/** Counts of listener filters, under Envoy's names, for the whole proxy. */
export class InspectionMetrics {
  readonly tlsFound: Counter;
  readonly tlsNotFound: Counter;
  readonly helloTooLarge: Counter;
  readonly serverNameFound: Counter;
  readonly serverNameNotFound: Counter;
  readonly alpnFound: Counter;
  readonly alpnNotFound: Counter;
  readonly http10Found: Counter;
  readonly http11Found: Counter;
  readonly http2Found: Counter;
  readonly httpNotFound: Counter;

  constructor(scope: MetricScope) {
    const tls = (name: string, help: string): Counter => scope.counter(`envoy_tls_inspector_${name}`, help);
    this.tlsFound = tls('tls_found', 'Connections that began with a ClientHello.');
    this.tlsNotFound = tls('tls_not_found', 'Connections that began with anything else.');
    this.helloTooLarge = tls('client_hello_too_large', 'Connections closed for too large a ClientHello.');
    this.serverNameFound = tls('sni_found', 'ClientHellos with a server name.');
    this.serverNameNotFound = tls('sni_not_found', 'ClientHellos without a server name.');
    this.alpnFound = tls('alpn_found', 'ClientHellos with application protocols.');
    this.alpnNotFound = tls('alpn_not_found', 'ClientHellos without application protocols.');
    const http = (name: string, help: string): Counter => scope.counter(`envoy_http_inspector_${name}`, help);
    this.http10Found = http('http10_found', 'Connections that began with HTTP/1.0.');
    this.http11Found = http('http11_found', 'Connections that began with HTTP/1.1.');
    this.http2Found = http('http2_found', "Connections that began with HTTP/2's preface.");
    this.httpNotFound = http('http_not_found', 'Connections that began with something else than HTTP.');
  }
}

/** Counts of one PROXY protocol filter. */
export class ProxyProtocolMetrics {
  readonly notFoundAllowed: Counter;
  readonly notFoundDisallowed: Counter;
  private readonly byVersion: Readonly<Record<ProxyProtocolVersion, VersionMetrics>>;

  constructor(scope: MetricScope, statPrefix: string) {
    const labels: Labels = statPrefix === '' ? {} : { envoy_proxy_protocol_prefix: statPrefix };
    const counter = (name: string, help: string): Counter =>
      scope.counter(`envoy_proxy_proto_${name}`, help, labels);
    this.notFoundAllowed = counter('not_found_allowed', 'Connections without a header that were taken.');
    this.notFoundDisallowed = counter('not_found_disallowed', 'Connections closed for want of a header.');
    const version = (number: ProxyProtocolVersion): VersionMetrics => {
      const name = `versions_v${number}`;
      return {
        found: counter(`${name}_found`, 'Headers found.'),
        disallowed: counter(`${name}_disallowed`, 'Connections closed for a version not allowed.'),
        error: counter(`${name}_error`, 'Connections closed for a malformed header.'),
      };
    };
    this.byVersion = { 1: version(1), 2: version(2) };
  }

  version(version: ProxyProtocolVersion): VersionMetrics {
    return this.byVersion[version];
  }
}

interface VersionMetrics {
  readonly found: Counter;
  readonly disallowed: Counter;
  readonly error: Counter;
}
