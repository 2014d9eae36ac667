// Hot path.
// What a peer may do at no cost to itself is counted: Envoy's limits, with Envoy's formulas.
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import type { Http2Options } from './http2-options.ts';

/** Frames of one connection, counted against what the peer has to do for them. */
export class FloodGuard {
  private readonly options: Http2Options;
  private readonly metrics: Http2Metrics;
  private streams = 0;
  private dataFramesSent = 0;
  private emptyFrames = 0;
  private priorityFrames = 0;
  private windowUpdates = 0;

  constructor(options: Http2Options, metrics: Http2Metrics) {
    this.options = options;
    this.metrics = metrics;
  }

  onStream(): void {
    this.streams++;
  }

  onDataSent(): void {
    this.dataFramesSent++;
  }

  /** A frame of HEADERS, CONTINUATION or DATA that carries something, or ends a stream. */
  onFullFrame(): void {
    this.emptyFrames = 0;
  }

  /** One that does neither. Returns what is wrong, or null. */
  onEmptyFrame(): ConnectionFault | null {
    if (++this.emptyFrames <= this.options.maxConsecutiveInboundFramesWithEmptyPayload) return null;
    this.metrics.inboundEmptyFramesFlood.value++;
    return Faults.emptyFrames;
  }

  onPriority(): ConnectionFault | null {
    const { maxInboundPriorityFramesPerStream } = this.options;
    if (++this.priorityFrames <= maxInboundPriorityFramesPerStream * (1 + this.streams)) return null;
    this.metrics.inboundPriorityFramesFlood.value++;
    return Faults.priorityFlood;
  }

  onWindowUpdate(): ConnectionFault | null {
    const { maxInboundWindowUpdateFramesPerDataFrameSent } = this.options;
    const allowed =
      5 + 2 * (this.streams + maxInboundWindowUpdateFramesPerDataFrameSent * this.dataFramesSent);
    if (++this.windowUpdates <= allowed) return null;
    this.metrics.inboundWindowUpdateFramesFlood.value++;
    return Faults.windowUpdateFlood;
  }
}
