import type { AccessLogEntry } from '@heddle/telemetry';
import { hostPort } from '../cluster/endpoint.ts';
import type { TcpRelay } from './tcp-relay.ts';

/** A finished relay as an access log tells it. */
export class TcpLogEntry implements AccessLogEntry {
  readonly startTimeMs: number;
  readonly durationMs: number;
  readonly protocol = '';
  readonly responseCode = 0;
  readonly responseFlags: string;
  readonly responseCodeDetails = '';
  readonly connectionTerminationDetails = '';
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly upstreamHost: string;
  readonly upstreamCluster: string;
  readonly upstreamLocalAddress: string;
  readonly upstreamTransportFailureReason: string;
  readonly downstreamLocalAddress: string;
  readonly downstreamRemoteAddress: string;
  readonly downstreamPeerUriSan: string;
  readonly requestedServerName = '';
  readonly routeName = '';

  constructor(relay: TcpRelay, durationMs: number) {
    const { downstream, upstream } = relay;
    this.startTimeMs = relay.startTimeMs;
    this.durationMs = durationMs;
    this.responseFlags = relay.flags;
    this.bytesReceived = relay.bytesReceived;
    this.bytesSent = relay.bytesSent;
    this.upstreamHost = relay.upstreamHost;
    this.upstreamCluster = relay.upstreamCluster;
    this.upstreamLocalAddress =
      upstream === null || upstream.localAddress === ''
        ? ''
        : hostPort(upstream.localAddress, upstream.localPort);
    this.upstreamTransportFailureReason = relay.upstreamFailure;
    this.downstreamLocalAddress = hostPort(downstream.localAddress, downstream.localPort);
    this.downstreamRemoteAddress = hostPort(downstream.remoteAddress, downstream.remotePort);
    this.downstreamPeerUriSan = downstream.peerIdentity;
  }

  requestHeader(): null {
    return null;
  }

  responseHeader(): null {
    return null;
  }
}
