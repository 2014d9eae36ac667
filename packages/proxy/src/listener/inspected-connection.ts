// Hot path.
// An accepted connection whose filter chain is not chosen yet: runs the listener filters over its first bytes.
import { type TimerWheel, type TimerWheelEntry, invariant } from '@heddle/base';
import type { Connection, ConnectionHandler } from '../transport/transport.ts';
import { type ListenerFilter, type ListenerFilterRun, Verdict } from './listener-filter.ts';

/** What decides about connections that have been looked at. Each connection is told exactly one of the three. */
export interface InspectionOwner {
  readonly filters: readonly ListenerFilter[];
  /** How long looking may take; 0 for no limit. */
  readonly inspectionTimeoutMs: number;
  readonly timers: TimerWheel;
  /** All filters are done; `buffer[start, end)` is what has been read and is valid during the call. */
  onInspected(inspected: InspectedConnection, buffer: Buffer, start: number, end: number): void;
  /** The time is over. True goes on with what is known, false closes. */
  onInspectionTimeout(inspected: InspectedConnection): boolean;
  /** The connection will not be served: a filter does not want it (`isRejected`), the time was over, or it is gone. */
  onInspectionFailed(inspected: InspectedConnection, isRejected: boolean): void;
}

const noBytes = Buffer.alloc(0);
const noProtocols: readonly string[] = Object.freeze([]);

export class InspectedConnection implements ConnectionHandler, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly connection: Connection;
  readonly startedAt: number;
  transportProtocol: 'raw_buffer' | 'tls' = 'raw_buffer';
  serverName = '';
  applicationProtocols: readonly string[] = noProtocols;
  private readonly owner: InspectionOwner;
  /** Bytes of which more must come before anything can be said; copies, as reads share a buffer. */
  private kept: Buffer = noBytes;
  private index = 0;
  private run: ListenerFilterRun | null = null;
  /** How many of the bytes the current filter has seen. */
  private seen = 0;
  private consumed = 0;
  /** It is at its filter chain, with another listener, or gone. */
  isOver = false;

  /** `startedAt`: monotonic milliseconds of its beginning. */
  constructor(connection: Connection, owner: InspectionOwner, startedAt: number) {
    this.startedAt = startedAt;
    this.connection = connection;
    this.owner = owner;
  }

  /** Begins with what has been read already, mostly nothing. */
  start(buffer: Buffer, start: number, end: number): void {
    const { inspectionTimeoutMs, timers } = this.owner;
    if (inspectionTimeoutMs > 0) timers.arm(this, inspectionTimeoutMs);
    this.inspect(buffer, start, end);
  }

  /** For filters: takes the first `length` bytes away; nobody else sees them. */
  consume(length: number): void {
    this.consumed = length;
  }

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    if (this.kept.length === 0) {
      this.inspect(buffer, start, end);
      return;
    }
    const all = Buffer.concat([this.kept, buffer.subarray(start, end)]);
    this.kept = noBytes;
    this.inspect(all, 0, all.length);
  }

  onEnd(): void {
    // As in Envoy, a client that goes before it has said what it is gets no answer.
    this.fail(false);
    this.connection.destroy();
  }

  onDrain(): void {
    // Nothing has been written.
  }

  onClose(): void {
    this.fail(false);
  }

  onTimeout(): void {
    if (this.isOver) return;
    if (this.owner.onInspectionTimeout(this)) {
      const { kept } = this;
      this.finish(kept, 0, kept.length);
      return;
    }
    this.fail(true);
    this.connection.destroy();
  }

  private inspect(buffer: Buffer, start: number, end: number): void {
    const { filters } = this.owner;
    let from = start;
    while (this.index < filters.length) {
      this.run ??= filters[this.index]!(this);
      this.consumed = 0;
      const verdict = this.run.inspect(buffer, from, end, this.seen);
      if (verdict === Verdict.reject) {
        this.fail(true);
        this.connection.destroy();
        return;
      }
      from += this.consumed;
      if (verdict === Verdict.needMore) {
        this.seen = end - from;
        if (end > from) this.kept = Buffer.from(buffer.subarray(from, end));
        return;
      }
      this.run = null;
      this.seen = 0;
      this.index++;
    }
    this.finish(buffer, from, end);
  }

  private finish(buffer: Buffer, start: number, end: number): void {
    this.isOver = true;
    this.kept = noBytes;
    this.owner.timers.disarm(this);
    this.owner.onInspected(this, buffer, start, end);
  }

  private fail(isRejected: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.kept = noBytes;
    this.owner.timers.disarm(this);
    this.owner.onInspectionFailed(this, isRejected);
  }
}
