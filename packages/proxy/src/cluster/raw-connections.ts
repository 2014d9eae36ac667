// Hot path.
import type { Counter } from '@heddle/telemetry';
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import type { PoolCounts } from './pool-counts.ts';
import { RawConnection, type RawConnectionOwner } from './raw-connection.ts';

/** The connections of a pool whose bytes are no HTTP: never shared, never reused, counted like the others. */
export class RawConnections implements RawConnectionOwner {
  private readonly connections = new Map<RawConnection, Connection>();
  private readonly counts: PoolCounts;
  private readonly metrics: ClusterMetrics;
  private readonly bytesReceived: Counter;
  private readonly whenGone: () => void;

  /** `whenGone`: there is room for another one. */
  constructor(counts: PoolCounts, metrics: ClusterMetrics, whenGone: () => void) {
    this.counts = counts;
    this.metrics = metrics;
    this.bytesReceived = metrics.bytesReceived;
    this.whenGone = whenGone;
  }

  get size(): number {
    return this.connections.size;
  }

  /** Begins one for `handler`; `connect` makes the byte stream and returns it. */
  open(
    handler: ConnectionHandler,
    startedAt: number,
    connect: (handler: ConnectionHandler) => Connection,
  ): Connection {
    this.metrics.requestsPendingTotal.value++;
    this.counts.connectionBegun();
    const raw = new RawConnection(this, handler, startedAt);
    const connection = connect(raw);
    this.connections.set(raw, connection);
    return connection;
  }

  dropAll(): void {
    for (const connection of [...this.connections.values()]) connection.destroy();
  }

  // RawConnectionOwner

  onRawConnected(connection: RawConnection): void {
    this.counts.connectionMade(connection.startedAt);
    this.counts.requestBegun();
  }

  onRawData(length: number): void {
    this.bytesReceived.value += length;
  }

  onRawGone(connection: RawConnection, error: TransportError | null, closedHere: boolean): void {
    this.connections.delete(connection);
    if (error === null) {
      this.counts.requestEnded();
      this.counts.connectionGone(connection.startedAt, closedHere, true);
    } else {
      this.metrics.pendingFailures.value++;
      this.counts.connectionFailed(error, closedHere);
    }
    this.whenGone();
  }
}
