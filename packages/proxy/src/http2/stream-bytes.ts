// Hot path.
// A stream that has left HTTP behind: the bytes of its DATA frames, both ways, are a tunnel's (RFC 9113 §8.5, RFC 8441).
import type { ByteStream, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { ErrorCode } from './error-code.ts';
import type { Http2Stream } from './http2-stream.ts';
import { type Http2StreamHandler, ResetCause, type StreamReset } from './stream-handler.ts';

const closedHere: TransportError = Object.freeze({ kind: 'closed', detail: 'the tunnel was dropped' });

/** Takes a stream over whose heads have been exchanged. */
export class StreamBytes implements ByteStream, Http2StreamHandler {
  private readonly stream: Http2Stream;
  private readonly handler: ConnectionHandler;
  private readonly onEnded: ((reset: StreamReset | null, isComplete: boolean) => void) | null;
  private readonly onTold: (() => void) | null;
  private isClosed = false;

  /**
   * `handler` is told of the end as of a connection's. Before, `onEnded` is told how the stream was cut off, or that it is
   * complete; behind, `onTold` is called.
   */
  constructor(
    stream: Http2Stream,
    handler: ConnectionHandler,
    onEnded: ((reset: StreamReset | null, isComplete: boolean) => void) | null,
    onTold: (() => void) | null,
  ) {
    this.stream = stream;
    this.handler = handler;
    this.onEnded = onEnded;
    this.onTold = onTold;
    stream.handler = this;
  }

  // ByteStream

  write(buffer: Buffer, start: number, end: number): boolean {
    return this.stream.sendData(buffer, start, end, false);
  }

  end(): void {
    if (!this.stream.hasEnded) this.stream.endStream();
  }

  /** `onClose` is called before this returns. */
  destroy(): void {
    if (this.isClosed) return;
    this.stream.reset(ErrorCode.cancel);
    this.close(null, closedHere);
  }

  reset(): void {
    this.destroy();
  }

  pauseReading(): void {
    this.stream.pauseReading();
  }

  resumeReading(): void {
    this.stream.resumeReading();
  }

  // Http2StreamHandler

  onHeaders(): void {
    // There is one head, and it has been told.
  }

  onInformational(): void {
    // Interim responses come before the head.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.handler.onData(buffer, start, end);
  }

  onTrailers(): void {
    // Nothing of a tunnel's comes behind its bytes; their end is told next.
  }

  onEnd(): void {
    this.handler.onEnd();
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onClosed(): void {
    this.close(null, null);
  }

  onReset(reset: StreamReset): void {
    const kind = reset.cause === ResetCause.local ? 'closed' : 'reset';
    this.close(reset, { kind, detail: reset.detail });
  }

  private close(reset: StreamReset | null, error: TransportError | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onEnded?.(reset, reset === null && error === null);
    this.handler.onClose(error);
    this.onTold?.();
  }
}
