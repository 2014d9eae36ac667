/** One call of gRPC over a stream of HTTP/2, as `RpcStream` and `RpcStreamHandler` see it. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { errorMessage } from '@heddle/base';
import {
  RpcCode,
  type RpcMethod,
  type RpcPeer,
  type RpcReply,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
} from '@heddle/xds';
import { frameMessage, MessageDeframer, messageHeader, type FramingError } from '@heddle/xds/message-framing';

/** More than this on its way to a reader that is slower than we are, and it is sent no more for now. */
const highWaterBytes = 256 * 1024;
/** It is sent more when so little is left: with some room, or each message would block anew. */
const lowWaterBytes = 64 * 1024;
/**
 * So much is given to HTTP/2 at once: each connection's TLS keeps buffers as large as the largest write that it has seen. Measured after 256 KiB
 * at once 340 KiB a connection, after 64 KiB 190, after 32 KiB 160, after 16 KiB 145, which took a third more CPU.
 */
const sliceBytes = 32 * 1024;
/** Up to here a copy costs less than a second write. */
const copiedBytes = 2048;
/** No request that is served here comes near it. */
const maxMessageBytes = 4 * 1024 * 1024;

const ok: RpcStatus = { code: RpcCode.ok, message: '' };
const gone: RpcStatus = { code: RpcCode.cancelled, message: 'The peer is gone.' };

const framingFaults: Readonly<Record<FramingError, RpcStatus>> = {
  compressed: { code: RpcCode.unimplemented, message: 'Compressed messages are not taken.' },
  'too-large': {
    code: RpcCode.resourceExhausted,
    message: `A message is larger than ${maxMessageBytes} bytes.`,
  },
};

/** Serves a call of a stream method. */
export function serveStream(
  method: RpcMethod & { readonly kind: 'stream' },
  stream: ServerHttp2Stream,
  peer: RpcPeer,
): void {
  const call = new GrpcCall(stream);
  call.attach(method.open(call, peer));
}

/** Serves a call of a unary method: the first message is the request. */
export function serveUnary(
  method: RpcMethod & { readonly kind: 'unary' },
  stream: ServerHttp2Stream,
  peer: RpcPeer,
): void {
  const call = new GrpcCall(stream);
  let isAsked = false;
  const answer = async (request: Uint8Array): Promise<void> => {
    const { status, message } = await handled(method, request, peer);
    if (status.code === RpcCode.ok) call.send(message);
    call.end(status);
  };
  call.attach({
    onMessage: (message) => {
      if (isAsked) return;
      isAsked = true;
      void answer(message);
    },
    onHalfClose: () => {
      if (!isAsked) call.end({ code: RpcCode.internal, message: 'The request is missing.' });
    },
    onWritable: () => undefined,
    onEnd: () => undefined,
  });
}

/** Answers a call with nothing but a status. */
export function refuse(stream: ServerHttp2Stream, status: RpcStatus): void {
  new GrpcCall(stream).end(status);
  // What the client still has to say is taken and forgotten.
  stream.resume();
}

async function handled(
  method: RpcMethod & { readonly kind: 'unary' },
  request: Uint8Array,
  peer: RpcPeer,
): Promise<RpcReply> {
  try {
    return await method.handle(request, peer);
  } catch (error) {
    const status = { code: RpcCode.internal, message: errorMessage(error) };
    return { status, message: new Uint8Array(0) };
  }
}

class GrpcCall implements RpcStream {
  private readonly stream: ServerHttp2Stream;
  private handler: RpcStreamHandler | null = null;
  /** Messages, the first of which `sentOfFirst` bytes have been written. */
  private readonly outbox: Uint8Array[] = [];
  private sentOfFirst = 0;
  private isWriting = false;
  private waitingBytes = 0;
  private isBlocked = false;
  /** How the call ended; null while it lives. */
  private outcome: RpcStatus | null = null;
  private hasTold = false;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
    // A client that has been sent away before it was told so.
    if (stream.destroyed) this.outcome = gone;
    else stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => this.sendTrailers());
    stream.on('aborted', () => this.over(gone));
    stream.on('close', () => this.over(gone));
    stream.on('error', (error: Error) => this.over({ code: RpcCode.unavailable, message: error.message }));
  }

  attach(handler: RpcStreamHandler): void {
    this.handler = handler;
    if (this.outcome !== null) {
      this.tell(this.outcome);
      return;
    }
    const deframer = new MessageDeframer(maxMessageBytes, (message) => {
      if (this.outcome === null) handler.onMessage(message);
    });
    this.stream.on('data', (chunk: Buffer) => {
      const fault = deframer.push(chunk, 0, chunk.length);
      if (fault !== null) this.fail(framingFaults[fault]);
    });
    // A connection that breaks ends the reading side first, and only then says that the stream is gone.
    this.stream.on('end', () => {
      setImmediate(() => {
        if (this.outcome === null) handler.onHalfClose();
      });
    });
  }

  send(message: Uint8Array): boolean {
    if (this.outcome !== null) return true;
    this.waitingBytes += message.length;
    this.outbox.push(message);
    if (!this.isWriting) this.write();
    if (this.waitingBytes > highWaterBytes) this.isBlocked = true;
    return !this.isBlocked;
  }

  end(status: RpcStatus = ok): void {
    if (this.outcome !== null) return;
    this.outcome = status;
    // What was sent goes out first, then the trailers.
    if (!this.isWriting) this.stream.end();
    this.tellLater(status);
  }

  cancel(): void {
    if (this.outcome !== null) return;
    this.over({ code: RpcCode.cancelled, message: 'The stream was given up.' });
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private fail(status: RpcStatus): void {
    if (this.outcome !== null) return;
    this.end(status);
    this.stream.resume();
  }

  private sendTrailers(): void {
    const { code, message } = this.outcome ?? ok;
    const trailers: Record<string, string> = { 'grpc-status': String(code) };
    if (message !== '') trailers['grpc-message'] = encodeURIComponent(message).replaceAll('%20', ' ');
    // A client may leave between the last byte and the trailers.
    if (!this.stream.destroyed && !this.stream.closed) this.stream.sendTrailers(trailers);
  }

  /** Writes the next piece. The message's bytes are those of other streams, too, so its header goes before it by itself. */
  private write(): void {
    const [message] = this.outbox;
    if (message === undefined || this.stream.destroyed) {
      this.isWriting = false;
      if (this.outcome !== null && !this.stream.destroyed) this.stream.end();
      return;
    }
    this.isWriting = true;
    if (message.length <= copiedBytes) {
      this.outbox.shift();
      this.stream.write(frameMessage(message), () => {
        this.noteWritten(message.length);
        this.write();
      });
      return;
    }
    const start = this.sentOfFirst;
    const piece = message.subarray(start, start + sliceBytes);
    this.stream.cork();
    if (start === 0) this.stream.write(messageHeader(message));
    if (start + piece.length < message.length) this.sentOfFirst += piece.length;
    else {
      this.outbox.shift();
      this.sentOfFirst = 0;
    }
    // The callback comes when the bytes have left for the network: HTTP/2's windows hold them back until then.
    this.stream.write(piece, () => {
      this.noteWritten(piece.length);
      this.write();
    });
    this.stream.uncork();
  }

  private noteWritten(bytes: number): void {
    this.waitingBytes -= bytes;
    if (!this.isBlocked || this.waitingBytes > lowWaterBytes || this.outcome !== null) return;
    this.isBlocked = false;
    this.handler?.onWritable();
  }

  private over(status: RpcStatus): void {
    if (this.outcome !== null) return;
    this.outcome = status;
    this.tellLater(status);
  }

  /** Never during a call of the owner's. */
  private tellLater(status: RpcStatus): void {
    queueMicrotask(() => this.tell(status));
  }

  private tell(status: RpcStatus): void {
    if (this.hasTold || this.handler === null) return;
    this.hasTold = true;
    this.handler.onEnd(status);
  }
}
