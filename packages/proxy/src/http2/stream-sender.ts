// Hot path.
import { invariant } from '@heddle/base';
import { FieldList } from '../codec/field-list.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import type { FloodGuard } from './flood-guard.ts';
import { FrameFlag, initialWindowBytes, maxPayloadBytes } from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import type { HeaderSender } from './header-sender.ts';
import { type Http2Stream, MessageState } from './http2-stream.ts';
import { ReadyStreams } from './ready-streams.ts';
import { SendQueue } from './send-queue.ts';

/** With more than this in its queue a stream's sender is held up, until less than the other is. */
const highWaterBytes = 64 * 1024;
const lowWaterBytes = 32 * 1024;
const noBytes = Buffer.alloc(0);

/** Told how far streams have come. */
export interface SenderOwner {
  /** The last frame of the stream's message is in the output. */
  onMessageSent(stream: Http2Stream): void;
  /** The message has ended, and its last bytes wait. */
  onMessageWaits(stream: Http2Stream): void;
}

/**
 * Messages that go out: at once as far as windows allow, then, one frame of each stream in turn, as they open. While the
 * transport has more than enough, bodies wait as if there were no window.
 */
export class StreamSender {
  /** Bytes of DATA that the peer takes on all streams together. */
  window = initialWindowBytes;
  private readonly ready = new ReadyStreams();
  private readonly owner: SenderOwner;
  private readonly output: FrameOutput;
  private readonly headers: HeaderSender;
  private readonly guard: FloodGuard;
  private readonly metrics: Http2Metrics;

  constructor(
    owner: SenderOwner,
    output: FrameOutput,
    headers: HeaderSender,
    guard: FloodGuard,
    metrics: Http2Metrics,
  ) {
    this.owner = owner;
    this.output = output;
    this.headers = headers;
    this.guard = guard;
    this.metrics = metrics;
  }

  sendHead(stream: Http2Stream, fields: FieldList, endStream: boolean): void {
    stream.sent = MessageState.body;
    this.headers.send(stream.id, fields, endStream ? FrameFlag.endStream : 0);
    if (endStream) this.finish(stream);
  }

  sendInterim(stream: Http2Stream, fields: FieldList): void {
    this.headers.send(stream.id, fields, 0);
  }

  sendData(stream: Http2Stream, buffer: Buffer, start: number, end: number, endStream: boolean): boolean {
    let at = start;
    if (stream.queuedBytes === 0 && !this.output.isBlocked) {
      while (at < end) {
        const taken = this.sendFrame(stream, buffer, at, end, endStream);
        if (taken === 0) break;
        at += taken;
      }
    }
    if (at < end) {
      this.enqueue(stream, buffer, at, end);
      if (endStream) this.wait(stream);
    } else if (endStream) {
      if (start === end) this.end(stream);
      else this.finish(stream);
    }
    if (stream.queuedBytes <= highWaterBytes && !this.output.isBlocked) return true;
    stream.wantsDrain = true;
    return false;
  }

  sendTrailers(stream: Http2Stream, fields: FieldList): void {
    if (stream.queuedBytes > 0) {
      const kept = new FieldList();
      kept.copy(fields);
      stream.trailers = kept;
      this.wait(stream);
      return;
    }
    this.headers.send(stream.id, fields, FrameFlag.endStream);
    this.finish(stream);
  }

  end(stream: Http2Stream): void {
    if (stream.queuedBytes > 0) {
      this.wait(stream);
      return;
    }
    if (!this.output.endStream(stream.id)) {
      this.output.data(stream.id, noBytes, 0, 0, FrameFlag.endStream);
      this.guard.onDataSent();
    }
    this.finish(stream);
  }

  /** The stream is over: what waits is of no use. */
  drop(stream: Http2Stream): void {
    this.ready.remove(stream);
    if (stream.queue === null) return;
    this.metrics.pendingSendBytes.value -= stream.queue.length;
    stream.queue = null;
    stream.trailers = null;
  }

  /** The stream's window has grown, by WINDOW_UPDATE or by SETTINGS. `pump` has to follow. */
  onStreamWindow(stream: Http2Stream): void {
    if (stream.sendWindow > 0 && stream.queuedBytes > 0) this.ready.add(stream);
  }

  /** Sends what waits, as far as windows and the transport allow. */
  pump(): void {
    for (;;) {
      const stream = this.ready.first;
      if (stream === null || this.window <= 0 || this.output.isBlocked) return;
      this.ready.remove(stream);
      if (stream.sendWindow > 0) this.sendQueued(stream);
    }
  }

  /** Asks for more where it was refused and can be taken now. */
  tellDrained(stream: Http2Stream): void {
    if (!stream.wantsDrain || this.output.isBlocked || stream.queuedBytes > lowWaterBytes) return;
    stream.wantsDrain = false;
    if (stream.sent === MessageState.body) stream.handler.onDrain();
  }

  /** Sends one frame of the queue. */
  private sendQueued(stream: Http2Stream): void {
    const queue = stream.queue!;
    const { piece, pieceStart } = queue;
    const isLast =
      stream.sent === MessageState.ending &&
      stream.trailers === null &&
      queue.pieceEnd - pieceStart === queue.length;
    const taken = this.sendFrame(stream, piece, pieceStart, queue.pieceEnd, isLast);
    queue.take(taken);
    this.metrics.pendingSendBytes.value -= taken;
    if (queue.length > 0) {
      if (stream.sendWindow > 0) this.ready.add(stream);
    } else if (stream.sent === MessageState.ending) {
      if (stream.trailers !== null) this.headers.send(stream.id, stream.trailers, FrameFlag.endStream);
      stream.trailers = null;
      this.finish(stream);
      return;
    }
    this.tellDrained(stream);
  }

  /** Sends as much of `buffer[start, end)` as one frame and the windows take; `endStream` where that is all. Returns how much. */
  private sendFrame(
    stream: Http2Stream,
    buffer: Buffer,
    start: number,
    end: number,
    endStream: boolean,
  ): number {
    let length = end - start;
    if (length > maxPayloadBytes) length = maxPayloadBytes;
    if (length > stream.sendWindow) length = stream.sendWindow;
    if (length > this.window) length = this.window;
    if (length <= 0) return 0;
    const flags = endStream && start + length === end ? FrameFlag.endStream : 0;
    this.output.data(stream.id, buffer, start, start + length, flags);
    stream.sendWindow -= length;
    this.window -= length;
    this.guard.onDataSent();
    return length;
  }

  private enqueue(stream: Http2Stream, buffer: Buffer, start: number, end: number): void {
    const queue = (stream.queue ??= new SendQueue());
    queue.add(buffer, start, end);
    this.metrics.pendingSendBytes.value += end - start;
    if (stream.sendWindow > 0) this.ready.add(stream);
  }

  private wait(stream: Http2Stream): void {
    stream.sent = MessageState.ending;
    this.owner.onMessageWaits(stream);
  }

  private finish(stream: Http2Stream): void {
    invariant(stream.queuedBytes === 0, 'nothing is left behind a message');
    stream.sent = MessageState.ended;
    this.owner.onMessageSent(stream);
  }
}
