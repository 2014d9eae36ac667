import { ConnectionLogEntry } from '../listener/connection-log-entry.ts';
import type { TcpRelay } from './tcp-relay.ts';

/** A finished relay as an access log tells it. */
export class TcpLogEntry extends ConnectionLogEntry {
  override readonly bytesReceived: number;
  override readonly bytesSent: number;
  override readonly upstreamHost: string;
  override readonly upstreamCluster: string;
  override readonly upstreamLocalAddress: string;
  override readonly upstreamTransportFailureReason: string;

  constructor(relay: TcpRelay, endTimeMs: number, durationMs: number) {
    super(relay.downstream, endTimeMs, durationMs, relay.flags);
    this.bytesReceived = relay.bytesReceived;
    this.bytesSent = relay.bytesSent;
    this.upstreamHost = relay.upstreamHost;
    this.upstreamCluster = relay.upstreamCluster;
    this.upstreamLocalAddress = relay.upstreamLocalAddress;
    this.upstreamTransportFailureReason = relay.upstreamFailure;
  }
}
