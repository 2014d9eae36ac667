// Hot path. One object per stream, and a queue where the peer's windows have once not taken what there was to send.
import { type TimerWheelEntry, invariant } from '@heddle/base';
import type { FieldList } from '../codec/field-list.ts';
import type { SendQueue } from './send-queue.ts';
import type { Http2StreamHandler } from './stream-handler.ts';

/**
 * How far the message of one direction has come. With the two of them a stream's state in RFC 9113 §5.1 is given: open is
 * `body`/`body`, half-closed (local) `ended`/`body`.
 */
export const MessageState = {
  /** No head yet, or interim ones only. */
  head: 0,
  body: 1,
  /** Its sender has ended it, and part of it waits in the queue. */
  ending: 2,
  ended: 3,
} as const;

/** What a response means depends on what was asked. */
export const RequestKind = { usual: 0, head: 1, connect: 2 } as const;

/** What a stream asks of its connection. */
export interface StreamHost {
  sendHeaders(stream: Http2Stream, fields: FieldList, endStream: boolean): void;
  sendInformational(stream: Http2Stream, fields: FieldList): void;
  sendData(stream: Http2Stream, buffer: Buffer, start: number, end: number, endStream: boolean): boolean;
  sendTrailers(stream: Http2Stream, fields: FieldList): void;
  endStream(stream: Http2Stream): void;
  resetStream(stream: Http2Stream, code: number): void;
  discardIncoming(stream: Http2Stream): void;
  /** The stream's reading goes on. */
  onReadingResumed(stream: Http2Stream): void;
  onFlushTimeout(stream: Http2Stream): void;
}

/** One stream: an exchange of a request and its response. */
export class Http2Stream implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  /** RFC 9113 §5.1.1; 0 on a client's stream before `sendHeaders`. */
  id: number;
  /** Something has come from the peer on this stream. */
  hasReceived = false;
  /** It is over: nothing is told any more, and what is called does nothing. */
  isClosed = false;

  // For the connection only

  readonly host: StreamHost;
  handler: Http2StreamHandler;
  /** States of the message that is sent and of the one that comes: `MessageState`. */
  sent: number = MessageState.head;
  received: number = MessageState.head;
  /** `RequestKind`. */
  requestKind: number = RequestKind.usual;
  /** Bytes of DATA that the peer takes, and that it may send; either may be negative once windows were made smaller. */
  sendWindow: number;
  receiveWindow: number;
  /** Bytes received that the peer's window has not been given back: done with, and held because reading is paused. */
  unreturned = 0;
  held = 0;
  isPaused = false;
  isDiscarding = false;
  /** Bytes that are to come by Content-Length; -1 where it doesn't say. */
  contentLeft = -1;
  interimResponses = 0;
  queue: SendQueue | null = null;
  /** What follows the queue. */
  trailers: FieldList | null = null;
  /** `sendData` has answered false. */
  wantsDrain = false;
  /** Neighbours in the round of those that have bytes to send and may. */
  isReady = false;
  previousReady: Http2Stream | null = null;
  nextReady: Http2Stream | null = null;
  /** Monotonic milliseconds; 0 where nobody asks. */
  readonly openedAtMs: number;

  constructor(
    host: StreamHost,
    id: number,
    handler: Http2StreamHandler,
    sendWindow: number,
    receiveWindow: number,
    nowMs: number,
  ) {
    this.host = host;
    this.id = id;
    this.handler = handler;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.openedAtMs = nowMs;
  }

  /** Our message is complete, sent or not. */
  get hasEnded(): boolean {
    return this.sent >= MessageState.ending;
  }

  /** What `sendData` has taken and the peer's windows have not, in bytes. */
  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.length;
  }

  /**
   * Sends a request's head, or the head of a final response: pseudo-headers first, names in lower case. The list is the
   * caller's again when this returns.
   */
  sendHeaders(fields: FieldList, endStream: boolean): void {
    if (this.isClosed) return;
    invariant(this.sent === MessageState.head, 'a message has one head');
    this.host.sendHeaders(this, fields, endStream);
  }

  /** Sends an interim response. Servers only. */
  sendInformational(fields: FieldList): void {
    if (this.isClosed) return;
    invariant(this.sent === MessageState.head, 'interim responses come before the final one');
    this.host.sendInformational(this, fields);
  }

  /**
   * Sends `buffer[start, end)`; what the peer's windows don't take now is copied and kept. False: much is waiting, send no
   * more before `onDrain`. Bytes told by `onData` are to be sent during that call, if at all: then they need not be copied.
   */
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): boolean {
    if (this.isClosed) return false;
    invariant(this.sent === MessageState.body, 'the body follows the head');
    return this.host.sendData(this, buffer, start, end, endStream);
  }

  /** Sends trailers, which end the message. */
  sendTrailers(fields: FieldList): void {
    if (this.isClosed) return;
    invariant(this.sent === MessageState.body, 'trailers follow the body');
    this.host.sendTrailers(this, fields);
  }

  /** Ends the message. Called right behind `sendHeaders` or `sendData`, it costs no frame of its own. */
  endStream(): void {
    if (this.isClosed) return;
    invariant(this.sent === MessageState.body, 'a message ends once');
    this.host.endStream(this);
  }

  /** Cuts the stream off (RST_STREAM with this `ErrorCode`); the handler hears nothing more. */
  reset(code: number): void {
    if (!this.isClosed) this.host.resetStream(this, code);
  }

  /**
   * What is still to come of the peer's message is of no use: it is not told any more, and once our own message is
   * complete the stream is reset with NO_ERROR (RFC 9113 §8.1).
   */
  discardIncoming(): void {
    if (!this.isClosed) this.host.discardIncoming(this);
  }

  /** Bytes told from now on, those of the current call included, are not given back to the peer's window before `resumeReading`. */
  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (!this.isClosed && this.held > 0) this.host.onReadingResumed(this);
  }

  /** TimerWheelEntry: the peer has not taken the rest of the message in time. */
  onTimeout(): void {
    this.host.onFlushTimeout(this);
  }
}
