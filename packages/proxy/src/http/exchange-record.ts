// Hot path.
import type { LoggedEntry } from '../access-log/access-log-filter.ts';
import type { RequestHeadView, ResponseHeadView } from '../codec/message-view.ts';
import { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { ServerStream } from '../codec/server-stream.ts';
import type { RequestView } from '../routing/request-view.ts';
import type { Connection, TcpAddress, TlsSession } from '../transport/transport.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { HttpSettings } from './http-settings.ts';
import { IncomingRequest } from './incoming-request.ts';

/** What access logs and metrics read of an exchange. The exchange itself extends it: no second object per request. */
export abstract class ExchangeRecord implements LoggedEntry {
  abstract readonly startTimeMs: number;
  abstract readonly durationMs: number;
  abstract readonly upstreamAttempts: number;
  responseCode = 0;
  /** The request is a gRPC call. */
  isGrpc = false;
  grpcStatus = -1;
  responseFlags = '-';
  responseCodeDetails = '';
  readonly connectionTerminationDetails = '';
  bytesReceived = 0;
  bytesSent = 0;
  upstreamHost = '';
  upstreamCluster = '';
  upstreamLocalAddress = '';
  upstreamTransportFailureReason = '';
  routeName = '';
  /** A tunnel that ended here: behind it the upstream had a TCP connection, and no request. */
  wasConnection = false;
  localReplyBody = '';

  /** Where the response goes: that of the request being served. */
  protected server!: ServerStream;
  /** The settings in force when the request began. */
  protected settings: HttpSettings;
  protected head: RequestHeadView | null = null;
  /** The request as its listener's rules leave it. */
  protected readonly request = new IncomingRequest();
  protected responseHead: ResponseHeadView | null = null;
  /** The response as the client gets it. */
  protected readonly response = new OutgoingResponse();

  constructor(settings: HttpSettings) {
    this.settings = settings;
  }

  protected get connection(): Connection {
    return this.server.connection;
  }

  get protocol(): string {
    return this.head?.protocol ?? 'HTTP/1.1';
  }

  get downstreamPeerUriSan(): string {
    return this.connection.peerIdentity;
  }

  get downstreamLocalAddress(): string {
    return hostPort(this.connection.localAddress, this.connection.localPort);
  }

  get downstreamRemoteAddress(): string {
    const { address, port } = this.request.client;
    return address === ''
      ? hostPort(this.connection.remoteAddress, this.connection.remotePort)
      : hostPort(address, port);
  }

  get downstreamDirectRemoteAddress(): string {
    return hostPort(this.connection.directRemoteAddress, this.connection.directRemotePort);
  }

  get downstreamTls(): TlsSession | null {
    return this.connection.tls;
  }

  get requestedServerName(): string {
    return this.connection.tls?.serverName ?? this.connection.inspectedServerName;
  }

  get originalDestination(): TcpAddress | null {
    return this.connection.originalDestination;
  }

  get requestId(): string {
    return this.request.requestId;
  }

  get loggedRequest(): RequestView | null {
    return this.head === null ? null : this.request;
  }

  requestHeader(name: string): string | null {
    if (this.head === null) return null;
    const { request } = this;
    switch (name) {
      case ':method':
        return request.method;
      case ':path':
        return request.path;
      case ':authority':
      // It goes on as that, whatever the field said.
      case 'host':
        return request.authority;
      case ':scheme':
        return request.scheme;
      default:
        return request.headerValue(name, 0);
    }
  }

  responseHeader(name: string): string | null {
    if (name === ':status') return this.responseCode === 0 ? null : String(this.responseCode);
    return this.response.header(name);
  }

  /** Forgets the last request. */
  protected resetRecord(): void {
    this.responseCode = 0;
    this.isGrpc = false;
    this.grpcStatus = -1;
    this.responseFlags = '-';
    this.responseCodeDetails = '';
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.upstreamHost = '';
    this.upstreamCluster = '';
    this.upstreamLocalAddress = '';
    this.upstreamTransportFailureReason = '';
    this.routeName = '';
    this.wasConnection = false;
    this.responseHead = null;
    this.response.clear();
    this.request.forget();
  }
}
