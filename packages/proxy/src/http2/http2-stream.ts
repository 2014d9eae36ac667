import type { FieldList } from '../codec/field-list.ts';

/** One stream: an exchange of a request and its response. */
export interface Http2Stream {
  /** RFC 9113 §5.1.1. */
  readonly id: number;
  /** Something has come from the peer on this stream. */
  readonly hasReceived: boolean;
  /** What `sendData` has taken and the peer's windows have not, in bytes. */
  readonly queuedBytes: number;

  /**
   * Sends a request's head, or the head of a final response: pseudo-headers first, names in lower case. The list is the
   * caller's again when this returns.
   */
  sendHeaders(fields: FieldList, endStream: boolean): void;
  /** Sends an interim response. Servers only. */
  sendInformational(fields: FieldList): void;
  /**
   * Sends `buffer[start, end)`; what the peer's windows don't take now is copied and kept. False: much is waiting, send no
   * more before `onDrain`.
   */
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): boolean;
  /** Sends trailers, which end the message. */
  sendTrailers(fields: FieldList): void;
  /** Ends the message. Called right behind `sendHeaders` or `sendData`, it costs no frame of its own. */
  endStream(): void;
  /** Cuts the stream off (RST_STREAM with this `ErrorCode`); the handler hears nothing more. Does nothing on a closed stream. */
  reset(code: number): void;
  /**
   * What is still to come of the peer's message is of no use: it is not told any more, and once our own message is
   * complete the stream is reset with NO_ERROR (RFC 9113 §8.1).
   */
  discardIncoming(): void;
  /** Bytes told from now on are not given back to the peer's window before `resumeReading`. */
  pauseReading(): void;
  resumeReading(): void;
}
