// Hot path.
const capacity = 256;

/** How a stream that is no longer known came to its end. */
export const ClosedBy = {
  /** Both messages were complete. */
  end: 0,
  /** This side reset it: what the peer sent before it heard of that is read over (RFC 9113 §5.1). */
  ownReset: 1,
  peerReset: 2,
  /** Long ago. */
  unknown: 3,
} as const;

/**
 * The last streams that were reset. Of a stream that is gone only that is remembered; one that was neither reset by this
 * side nor by the other has come to its end.
 */
export class ClosedStreams {
  /** Stream ids, those that the peer reset negative; made when the first stream is reset. */
  private resets: Int32Array | null = null;
  private next = 0;
  /** The highest id that was forgotten. */
  private forgotten = 0;

  /** `by` is `ClosedBy.ownReset` or `ClosedBy.peerReset`. */
  add(streamId: number, by: number): void {
    const resets = (this.resets ??= new Int32Array(capacity));
    const dropped = Math.abs(resets[this.next]!);
    if (dropped > this.forgotten) this.forgotten = dropped;
    resets[this.next] = by === ClosedBy.ownReset ? streamId : -streamId;
    this.next = (this.next + 1) % capacity;
  }

  /** One of `ClosedBy`. Looks through all of them: for what seldom happens. */
  howClosed(streamId: number): number {
    const { resets } = this;
    if (resets === null) return ClosedBy.end;
    if (resets.includes(streamId)) return ClosedBy.ownReset;
    if (resets.includes(-streamId)) return ClosedBy.peerReset;
    return streamId <= this.forgotten ? ClosedBy.unknown : ClosedBy.end;
  }
}
