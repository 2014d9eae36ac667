import type { RpcStatus, RpcStream, RpcStreamHandler } from '@heddle/xds';
import { RpcCode } from '@heddle/xds';
import type { FieldList } from '../../codec/field-list.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import type { Http2Stream } from '../../http2/http2-stream.ts';
import { type Http2StreamHandler, ResetCause, type StreamReset } from '../../http2/stream-handler.ts';
import {
  cutOff,
  framingStatus,
  statusOfHead,
  statusOfReset,
  statusOfTrailers,
  withoutStatus,
} from './call-status.ts';
import { MessageDeframer, frameMessage } from '@heddle/xds/message-framing';

/** How many bytes may wait for a connection before the caller is told to pause; and how many are kept to be sent again. */
const keptLimitBytes = 64 * 1024;

/** Who finds connections for calls. */
export interface CallOwner {
  /** The server has not looked at the call: it needs another stream, for which `begin` is to be called. */
  onRefused(call: OutgoingCall): void;
  /** The call is over; its handler is told after this. */
  onOver(call: OutgoingCall): void;
}

/** One call on the client's side, from before there is a connection until its status is known. */
export class OutgoingCall implements RpcStream, Http2StreamHandler {
  readonly method: string;
  /** When nobody waits for it any more, by the monotonic clock; null for never. */
  readonly deadlineMs: number | null;
  private readonly handler: RpcStreamHandler;
  private readonly owner: CallOwner;
  private readonly deframer: MessageDeframer;
  private stream: Http2Stream | null = null;
  /** Messages that the server may not have seen, for another connection; null once it has answered, or they are too many. */
  private kept: Buffer[] | null = [];
  private keptBytes = 0;
  private wasRefused = false;
  private isEnding = false;
  private owesWritable = false;
  /** Once it is known the call is as good as over. */
  private status: RpcStatus | null = null;

  constructor(
    method: string,
    deadlineMs: number | null,
    handler: RpcStreamHandler,
    maxMessageBytes: number,
    owner: CallOwner,
  ) {
    this.method = method;
    this.deadlineMs = deadlineMs;
    this.handler = handler;
    this.owner = owner;
    this.deframer = new MessageDeframer(maxMessageBytes, (message) => {
      if (this.status === null) handler.onMessage(message);
    });
  }

  /** Makes the call on a stream that has just been opened, with this head. */
  begin(stream: Http2Stream, head: FieldList): void {
    this.stream = stream;
    stream.sendHeaders(head, false);
    let isRoomy = true;
    for (const frame of this.kept!) isRoomy = stream.sendData(frame, 0, frame.length, false);
    if (this.isEnding) stream.endStream();
    this.limitKept();
    if (isRoomy) this.onDrain();
  }

  /** Ends the call with a status of this side's making; the handler hears of it after the caller has returned. */
  fail(status: RpcStatus): void {
    if (this.status !== null) return;
    this.status = status;
    this.stream?.reset(ErrorCode.cancel);
    this.letGo();
    queueMicrotask(() => this.handler.onEnd(status));
  }

  // RpcStream

  send(message: Uint8Array): boolean {
    if (this.status !== null || this.isEnding) return true;
    const frame = frameMessage(message);
    this.kept?.push(frame);
    this.keptBytes += frame.length;
    let isRoomy: boolean;
    if (this.stream === null) {
      isRoomy = this.keptBytes < keptLimitBytes;
    } else {
      this.limitKept();
      isRoomy = this.stream.sendData(frame, 0, frame.length, false);
    }
    if (!isRoomy) this.owesWritable = true;
    return isRoomy;
  }

  end(): void {
    if (this.status !== null || this.isEnding) return;
    this.isEnding = true;
    this.stream?.endStream();
  }

  cancel(): void {
    this.fail({ code: RpcCode.cancelled, message: 'Cancelled by this side.' });
  }

  // Http2StreamHandler

  onHeaders(fields: FieldList, endStream: boolean): void {
    this.kept = null;
    const status = statusOfTrailers(fields) ?? statusOfHead(fields);
    if (status === null) return;
    this.status = status;
    if (endStream) return;
    this.stream!.reset(ErrorCode.noError);
    this.finish(status);
  }

  onInformational(): void {
    // Of no meaning to gRPC.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const failure = this.deframer.push(buffer, start, end);
    if (failure !== null) this.fail(framingStatus[failure]);
  }

  onTrailers(fields: FieldList): void {
    this.status = statusOfTrailers(fields);
  }

  onEnd(): void {
    const stream = this.stream!;
    // What this side might still say nobody hears.
    if (!stream.hasEnded || stream.queuedBytes > 0) stream.reset(ErrorCode.noError);
    const status = this.status ?? withoutStatus;
    this.finish(status.code === RpcCode.ok && !this.deframer.isAtBoundary ? cutOff : status);
  }

  onDrain(): void {
    if (!this.owesWritable || this.status !== null) return;
    this.owesWritable = false;
    this.handler.onWritable();
  }

  onClosed(): void {
    // The handler has been told at the end of the answer.
  }

  onReset(reset: StreamReset): void {
    this.stream = null;
    if (reset.cause === ResetCause.refused && this.kept !== null && !this.wasRefused) {
      this.wasRefused = true;
      this.owner.onRefused(this);
      return;
    }
    this.finish(statusOfReset(reset));
  }

  private limitKept(): void {
    if (this.keptBytes > keptLimitBytes) this.kept = null;
  }

  private finish(status: RpcStatus): void {
    this.status = status;
    this.letGo();
    this.handler.onEnd(status);
  }

  private letGo(): void {
    this.stream = null;
    this.kept = null;
    this.owner.onOver(this);
  }
}
