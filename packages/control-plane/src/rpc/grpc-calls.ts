/** One call of grpc-js as `RpcStream` and `RpcStreamHandler` see it. */
import { errorMessage } from '@heddle/base';
import type { handleBidiStreamingCall, handleUnaryCall, ServerDuplexStream } from '@grpc/grpc-js';
import {
  RpcCode,
  type RpcMethod,
  type RpcPeer,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
} from '@heddle/xds';

type PeerOf = (key: string) => RpcPeer | undefined;

/** More than this on its way to a reader that is slower than we are, and it is sent no more for now. */
const highWaterBytes = 256 * 1024;
/** It is sent more when so little is left: with some room, or each message would block anew. */
const lowWaterBytes = 64 * 1024;

const unknownPeer: RpcStatus = {
  code: RpcCode.unauthenticated,
  message: 'The peer of this connection is not known.',
};

export function unaryHandler(
  method: RpcMethod & { readonly kind: 'unary' },
  peerOf: PeerOf,
): handleUnaryCall<Buffer, Uint8Array> {
  return (call, callback) => {
    const answer = async (): Promise<void> => {
      const peer = peerOf(call.getPeer());
      const { status, message } =
        peer === undefined
          ? { status: unknownPeer, message: null }
          : await handled(method, call.request, peer);
      if (status.code === RpcCode.ok) callback(null, message);
      else callback(serviceError(status));
    };
    void answer();
  };
}

async function handled(
  method: RpcMethod & { readonly kind: 'unary' },
  request: Buffer,
  peer: RpcPeer,
): Promise<{ readonly status: RpcStatus; readonly message: Uint8Array | null }> {
  try {
    return await method.handle(request, peer);
  } catch (error) {
    return { status: { code: RpcCode.internal, message: errorMessage(error) }, message: null };
  }
}

/** The form in which grpc-js takes a status. */
function serviceError({ code, message }: RpcStatus): { readonly code: number; readonly details: string } {
  return { code, details: message };
}

export function streamHandler(
  method: RpcMethod & { readonly kind: 'stream' },
  peerOf: PeerOf,
): handleBidiStreamingCall<Buffer, Uint8Array> {
  return (call) => {
    const peer = peerOf(call.getPeer());
    const stream = new GrpcStream(call);
    if (peer === undefined) stream.end(unknownPeer);
    else stream.attach(method.open(stream, peer));
  };
}

class GrpcStream implements RpcStream {
  private readonly call: ServerDuplexStream<Buffer, Uint8Array>;
  private handler: RpcStreamHandler | null = null;
  private waitingBytes = 0;
  private isBlocked = false;
  /** How the stream ended; null while it lives. */
  private outcome: RpcStatus | null = null;
  private hasTold = false;

  constructor(call: ServerDuplexStream<Buffer, Uint8Array>) {
    this.call = call;
    call.on('cancelled', () => this.over({ code: RpcCode.cancelled, message: 'The peer is gone.' }));
    call.on('error', (error) => this.over({ code: RpcCode.unavailable, message: error.message }));
  }

  attach(handler: RpcStreamHandler): void {
    this.handler = handler;
    if (this.outcome !== null) {
      this.tell(this.outcome);
      return;
    }
    this.call.on('data', (message: Buffer) => {
      if (this.outcome === null) handler.onMessage(message);
    });
    // A connection that breaks ends the reading side first, and only then says that the call is cancelled.
    this.call.on('end', () => {
      setImmediate(() => {
        if (this.outcome === null) handler.onHalfClose();
      });
    });
  }

  send(message: Uint8Array): boolean {
    if (this.outcome !== null) return true;
    this.waitingBytes += message.length;
    // The callback comes when the bytes have left for the network: HTTP/2's windows hold them back until then.
    this.call.write(message, () => this.noteWritten(message.length));
    if (this.waitingBytes > highWaterBytes) this.isBlocked = true;
    return !this.isBlocked;
  }

  end(status: RpcStatus = { code: RpcCode.ok, message: '' }): void {
    if (this.outcome !== null) return;
    this.outcome = status;
    if (status.code === RpcCode.ok) this.call.end();
    // This is how grpc-js takes a status; what was written goes out first.
    else this.call.emit('error', serviceError(status));
    this.tellLater(status);
  }

  cancel(): void {
    this.end({ code: RpcCode.cancelled, message: 'The stream was given up.' });
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
