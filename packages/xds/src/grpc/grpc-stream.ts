import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { RpcCode } from '../rpc.ts';
import type { RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { statusFromHeaders, statusFromTrailers } from './grpc-status.ts';
import { MessageDeframer, frameMessage } from './message-framing.ts';
import type { FramingError } from './message-framing.ts';

/** How many bytes may wait for a connection before the caller is told to pause. */
const queueLimitBytes = 64 * 1024;

const framingStatus: Readonly<Record<FramingError, RpcStatus>> = {
  compressed: {
    code: RpcCode.internal,
    message: 'The server sent a compressed message, which was not offered.',
  },
  'too-large': {
    code: RpcCode.resourceExhausted,
    message: 'The server sent a message larger than the limit.',
  },
};

/** One call on the client's side, from before there is a connection until its status is known. */
export class GrpcStream implements RpcStream {
  private readonly method: string;
  private readonly handler: RpcStreamHandler;
  private readonly deframer: MessageDeframer;
  private readonly onOver: (stream: GrpcStream) => void;
  private stream: ClientHttp2Stream | null = null;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private isEnding = false;
  private isOver = false;
  private owesWritable = false;
  private status: RpcStatus | null = null;

  constructor(
    method: string,
    handler: RpcStreamHandler,
    maxMessageBytes: number,
    onOver: (stream: GrpcStream) => void,
  ) {
    this.method = method;
    this.handler = handler;
    this.onOver = onOver;
    this.deframer = new MessageDeframer(maxMessageBytes, (message) => {
      if (!this.isOver) handler.onMessage(message);
    });
  }

  /** Begins the call on a connection. */
  open(session: ClientHttp2Session, authority: string, scheme: string): void {
    if (this.isOver) return;
    const stream = session.request({
      ':method': 'POST',
      ':scheme': scheme,
      ':authority': authority,
      ':path': this.method,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-accept-encoding': 'identity',
      'user-agent': 'heddle',
    });
    this.stream = stream;
    stream.on('response', (headers) => this.onResponse(headers));
    stream.on('trailers', (headers) => {
      this.status ??= statusFromTrailers(headers);
    });
    stream.on('data', (chunk: Buffer) => this.onData(chunk));
    // The server has said its last word; what this side might still say nobody hears.
    stream.on('end', () => stream.close(constants.NGHTTP2_NO_ERROR));
    stream.on('drain', () => this.onDrain());
    stream.on('error', (error) => {
      this.status ??= { code: RpcCode.unavailable, message: error.message };
    });
    stream.on('close', () => this.onClose(stream.rstCode));
    for (const frame of this.queue) stream.write(frame);
    this.queue = [];
    this.queuedBytes = 0;
    if (this.isEnding) stream.end();
    if (!stream.writableNeedDrain) this.onDrain();
  }

  send(message: Uint8Array): boolean {
    if (this.isOver || this.isEnding) return true;
    const frame = frameMessage(message);
    let isRoomy: boolean;
    if (this.stream === null) {
      this.queue.push(frame);
      this.queuedBytes += frame.length;
      isRoomy = this.queuedBytes < queueLimitBytes;
    } else {
      isRoomy = this.stream.write(frame);
    }
    if (!isRoomy) this.owesWritable = true;
    return isRoomy;
  }

  end(): void {
    if (this.isOver || this.isEnding) return;
    this.isEnding = true;
    this.stream?.end();
  }

  cancel(): void {
    if (this.isOver) return;
    this.fail({ code: RpcCode.cancelled, message: 'Cancelled by this side.' });
  }

  /** Ends the call with a status of this side's making; the handler hears of it after the caller has returned. */
  fail(status: RpcStatus): void {
    this.status = status;
    if (this.stream === null) queueMicrotask(() => this.finish());
    else this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private onResponse(headers: IncomingHttpHeaders): void {
    const status = statusFromTrailers(headers) ?? statusFromHeaders(headers);
    if (status === null) return;
    this.status ??= status;
    this.stream?.close(constants.NGHTTP2_NO_ERROR);
  }

  private onData(chunk: Buffer): void {
    if (this.status !== null) return;
    const failure = this.deframer.push(chunk);
    if (failure !== null) this.fail(framingStatus[failure]);
  }

  private onDrain(): void {
    if (!this.owesWritable || this.isOver) return;
    this.owesWritable = false;
    this.handler.onWritable();
  }

  private onClose(resetCode: number | undefined): void {
    if (this.status === null) {
      const reason =
        resetCode === undefined || resetCode === constants.NGHTTP2_NO_ERROR
          ? ''
          : ` (reset code ${resetCode})`;
      this.status = {
        code: RpcCode.unavailable,
        message: `The connection ended before the call did${reason}.`,
      };
    } else if (this.status.code === RpcCode.ok && !this.deframer.isAtBoundary) {
      this.status = { code: RpcCode.internal, message: 'The server ended in the middle of a message.' };
    }
    this.finish();
  }

  private finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.queue = [];
    this.onOver(this);
    this.handler.onEnd(this.status ?? { code: RpcCode.unknown, message: '' });
  }
}
