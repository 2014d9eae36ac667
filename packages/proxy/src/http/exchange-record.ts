// Hot path.
import type { AccessLogEntry } from '@heddle/telemetry';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Connection } from '../transport/transport.ts';
import type { HttpSettings } from './http-settings.ts';

/** What access logs and metrics read of an exchange. The exchange itself extends it: no second object per request. */
export abstract class ExchangeRecord implements AccessLogEntry {
  startTimeMs = 0;
  durationMs = 0;
  responseCode = 0;
  responseFlags = '-';
  responseCodeDetails = '';
  readonly connectionTerminationDetails = '';
  bytesReceived = 0;
  bytesSent = 0;
  upstreamHost = '';
  upstreamCluster = '';
  upstreamLocalAddress = '';
  upstreamTransportFailureReason = '';
  readonly protocol = 'HTTP/1.1';
  readonly requestedServerName = '';
  routeName = '';

  protected readonly connection: Connection;
  /** The settings in force when the request began. */
  protected settings: HttpSettings;
  protected head: RequestHead | null = null;
  protected responseHead: ResponseHead | null = null;

  constructor(connection: Connection, settings: HttpSettings) {
    this.connection = connection;
    this.settings = settings;
  }

  get downstreamPeerUriSan(): string {
    return this.connection.peerIdentity;
  }

  get downstreamLocalAddress(): string {
    return `${this.connection.localAddress}:${this.connection.localPort}`;
  }

  get downstreamRemoteAddress(): string {
    return `${this.connection.remoteAddress}:${this.connection.remotePort}`;
  }

  requestHeader(name: string): string | null {
    const head = this.head;
    if (head === null) return null;
    if (name.charCodeAt(0) !== 0x3a) return head.header(name);
    switch (name) {
      case ':method':
        return head.method;
      case ':path':
        return head.path;
      case ':authority':
        return head.authority;
      case ':scheme':
        return this.settings.scheme;
      default:
        return null;
    }
  }

  responseHeader(name: string): string | null {
    return this.responseHead === null ? null : this.responseHead.header(name);
  }

  /** Forgets the last request. */
  protected resetRecord(): void {
    this.responseCode = 0;
    this.responseFlags = '-';
    this.responseCodeDetails = '';
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.upstreamHost = '';
    this.upstreamCluster = '';
    this.upstreamLocalAddress = '';
    this.upstreamTransportFailureReason = '';
    this.routeName = '';
    this.responseHead = null;
  }
}
