/**
 * Remote calls as the control plane's services and the proxies see them: messages are encoded bytes, and nothing here
 * knows of HTTP/2. gRPC carries them between processes; the in-memory network carries them in simulations.
 */

/** A gRPC status (https://grpc.io/docs/guides/status-codes/). */
export interface RpcStatus {
  readonly code: number;
  /** One sentence; empty with code 0. */
  readonly message: string;
}

export const RpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Who is at the other end, as proven by its certificate. */
export interface RpcPeer {
  /** The SPIFFE id of the verified certificate, such as `spiffe://cluster.local/ns/default/sa/reviews`. */
  readonly identity: string;
  /** `address:port`, for logs. */
  readonly remoteAddress: string;
  /** End of the verified certificate's validity in milliseconds since 1970. */
  readonly certificateNotAfter: number;
}

/** One side of an open stream. */
export interface RpcStream {
  /**
   * Sends one encoded message. False means that the peer reads more slowly than we write: the message is accepted, but
   * send no more before `onWritable`. The bytes must not change afterwards; several streams may be given the same ones.
   */
  send(message: Uint8Array): boolean;
  /** Half-closes: a client has no more to say; a server ends the stream with this status (default: code 0). */
  end(status?: RpcStatus): void;
  /** Gives the stream up at once. `onEnd` still follows, with code 1. */
  cancel(): void;
}

/** What the owner of a stream is told. All calls are synchronous; after `onEnd` there are none. */
export interface RpcStreamHandler {
  /** One message. The bytes belong to the receiver. */
  onMessage(message: Uint8Array): void;
  /** The client half-closed; servers only. */
  onHalfClose(): void;
  /** `send` is welcome again. */
  onWritable(): void;
  /** The stream is over, exactly once. Code 0 where the peer ended it in order. */
  onEnd(status: RpcStatus): void;
}

/** A client's way to one server; a connection is made when it is needed and again when it was lost. */
export interface RpcClient {
  /** Opens a bidirectional stream of `method`, such as `/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources`. */
  openStream(method: string, handler: RpcStreamHandler): RpcStream;
  /** Calls a unary method. Failures are values. */
  call(method: string, request: Uint8Array, timeoutMs: number): Promise<RpcReply>;
  /** Closes the connection; open streams end with code 1. */
  close(): void;
}

/** The outcome of a unary call; `message` is empty unless `status.code` is 0. */
export interface RpcReply {
  readonly status: RpcStatus;
  readonly message: Uint8Array;
}

/** A server's method: a bidirectional stream, or one request and one reply. */
export type RpcMethod =
  | {
      readonly kind: 'stream';
      /** Called when a client opens the stream; the handler it returns is told of everything that follows. */
      open(stream: RpcStream, peer: RpcPeer): RpcStreamHandler;
    }
  | {
      readonly kind: 'unary';
      handle(request: Uint8Array, peer: RpcPeer): Promise<RpcReply>;
    };

/** Methods by their full path. */
export type RpcMethods = ReadonlyMap<string, RpcMethod>;
