import type { LoggedEntry } from '../access-log/access-log-filter.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { Connection, TlsSession } from '../transport/transport.ts';

/** A finished connection as an access log tells it. */
export class ConnectionLogEntry implements LoggedEntry {
  readonly startTimeMs: number;
  readonly durationMs: number;
  readonly protocol = '';
  readonly responseCode = 0;
  readonly grpcStatus = -1;
  readonly responseFlags: string;
  readonly responseCodeDetails: string;
  readonly connectionTerminationDetails: string;
  readonly bytesReceived: number = 0;
  readonly bytesSent: number = 0;
  readonly upstreamHost: string = '';
  readonly upstreamCluster: string = '';
  readonly upstreamAttempts = 0;
  readonly upstreamLocalAddress: string = '';
  readonly upstreamTransportFailureReason: string = '';
  readonly downstreamLocalAddress: string;
  readonly downstreamRemoteAddress: string;
  readonly downstreamDirectRemoteAddress: string;
  readonly downstreamTls: TlsSession | null;
  readonly downstreamPeerUriSan: string;
  readonly requestedServerName: string;
  readonly routeName = '';
  readonly requestId = '';
  readonly loggedRequest = null;

  /** `flags`: Envoy's short ones, joined by commas; empty for none. */
  constructor(
    connection: Connection,
    endTimeMs: number,
    durationMs: number,
    flags: string,
    details = '',
    terminationDetails = '',
  ) {
    this.startTimeMs = endTimeMs - durationMs;
    this.durationMs = durationMs;
    this.responseFlags = flags;
    this.responseCodeDetails = details;
    this.connectionTerminationDetails = terminationDetails;
    this.downstreamLocalAddress = addressText(connection.localAddress, connection.localPort);
    this.downstreamRemoteAddress = addressText(connection.remoteAddress, connection.remotePort);
    const { directRemoteAddress, directRemotePort } = connection;
    this.downstreamDirectRemoteAddress = addressText(directRemoteAddress, directRemotePort);
    this.downstreamTls = connection.tls;
    this.downstreamPeerUriSan = connection.peerIdentity;
    this.requestedServerName = connection.tls?.serverName ?? connection.inspectedServerName;
  }

  requestHeader(): null {
    return null;
  }

  responseHeader(): null {
    return null;
  }
}

/** Unix sockets have a path, or nothing, and no port. */
export function addressText(host: string, port: number): string {
  return port === 0 ? host : hostPort(host, port);
}
