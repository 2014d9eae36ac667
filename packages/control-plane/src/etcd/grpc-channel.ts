/** gRPC as a client over `node:http2`: one connection to one server, made when it is needed, for calls of bytes. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { errorMessage, type Clock, type Timer } from '@heddle/base';
import { RpcCode } from '@heddle/xds';
import { MessageDeframer, messageHeader } from '@heddle/xds/message-framing';

/** Certificates and key as PEM. */
export interface ChannelTls {
  readonly ca: Buffer;
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

/** A call's status that is not OK. Its message is the server's. */
export class GrpcError extends Error {
  /** As in `RpcCode`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'GrpcError';
    this.code = code;
  }
}

/** What a stream of answers calls. */
export interface GrpcStreamHandler {
  onMessage(message: Uint8Array): void;
  /** Once, however the stream ends; nothing follows. Not called after `cancel`. */
  onEnd(error: GrpcError): void;
}

export interface GrpcStream {
  send(message: Uint8Array): void;
  /** Says that nothing more is sent. */
  halfClose(): void;
  cancel(): void;
}

const connectTimeoutMs = 5000;
/** etcd takes one ping in 5 s and ends connections that send more. */
const keepaliveMs = 10_000;
const keepaliveTimeoutMs = 5000;
/** A page of large records. */
const maxMessageBytes = 1024 * 1024 * 1024;

export class GrpcChannel {
  private readonly url: string;
  private readonly tls: ChannelTls | undefined;
  private readonly clock: Clock;
  private session: ClientHttp2Session | null = null;

  /** `endpoint` is `host:port`. */
  constructor(endpoint: string, tls: ChannelTls | undefined, clock: Clock) {
    this.url = `${tls === undefined ? 'http' : 'https'}://${endpoint}`;
    this.tls = tls;
    this.clock = clock;
  }

  /** One request, one answer. Rejects with a `GrpcError`. */
  async call(path: string, request: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const stream = this.open(path, { onMessage: resolve, onEnd: reject });
    stream.send(request);
    stream.halfClose();
    const timer = this.clock.setTimer(timeoutMs, () => {
      reject(new GrpcError(RpcCode.deadlineExceeded, `no answer within ${timeoutMs / 1000} s`));
    });
    try {
      return await promise;
    } finally {
      timer.cancel();
      stream.cancel();
    }
  }

  open(path: string, handler: GrpcStreamHandler): GrpcStream {
    let stream: ClientHttp2Stream;
    try {
      stream = this.connected().request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
    } catch (error) {
      queueMicrotask(() => handler.onEnd(new GrpcError(RpcCode.unavailable, errorMessage(error))));
      return { send: () => undefined, halfClose: () => undefined, cancel: () => undefined };
    }
    return follow(stream, handler);
  }

  close(): void {
    this.session?.destroy();
    this.session = null;
  }

  private connected(): ClientHttp2Session {
    const present = this.session;
    if (present !== null && !present.closed && !present.destroyed) return present;
    const { tls } = this;
    const session = connect(
      this.url,
      tls === undefined
        ? {}
        : {
            ca: tls.ca,
            ALPNProtocols: ['h2'],
            ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
    );
    this.session = session;
    let timer: Timer = this.clock.setTimer(connectTimeoutMs, () => {
      session.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
    });
    const wait = (): void => {
      timer = this.clock.setTimer(keepaliveMs, () => {
        // Over, while its connection is not.
        if (session.destroyed) return;
        timer = this.clock.setTimer(keepaliveTimeoutMs, () =>
          session.destroy(new Error('the peer is silent')),
        );
        session.ping((error) => {
          timer.cancel();
          if (error === null && !session.destroyed) wait();
        });
      });
    };
    session.on('connect', () => {
      timer.cancel();
      wait();
    });
    // Its streams are told of it.
    session.on('error', () => undefined);
    session.on('goaway', () => session.close());
    session.on('close', () => timer.cancel());
    return session;
  }
}

/** Takes a stream's answers apart and finds out how it ended. */
function follow(stream: ClientHttp2Stream, handler: GrpcStreamHandler): GrpcStream {
  let isOver = false;
  let status: GrpcError | null = null;
  const end = (error: GrpcError): void => {
    if (isOver) return;
    isOver = true;
    stream.close(constants.NGHTTP2_CANCEL);
    handler.onEnd(error);
  };
  const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
    const { 'grpc-status': code, 'grpc-message': text } = headers;
    if (code === undefined) return;
    status = new GrpcError(Number(code), decodeMessage(typeof text === 'string' ? text : ''));
  };
  const deframer = new MessageDeframer(maxMessageBytes, (message) => {
    if (!isOver) handler.onMessage(message);
  });
  stream.on('response', (headers) => {
    if (headers[':status'] !== 200)
      end(new GrpcError(RpcCode.unavailable, `the server answers with HTTP status ${headers[':status']}`));
    // An answer of trailers alone.
    else readStatus(headers);
  });
  stream.on('trailers', readStatus);
  stream.on('data', (chunk: Buffer) => {
    const fault = deframer.push(chunk, 0, chunk.length);
    if (fault !== null) end(new GrpcError(RpcCode.internal, `the server's message is ${fault}`));
  });
  stream.on('error', (error: Error) => end(new GrpcError(RpcCode.unavailable, errorMessage(error))));
  stream.on('close', () => end(status ?? new GrpcError(RpcCode.unavailable, 'the connection has ended')));
  return {
    send: (message) => {
      if (isOver) return;
      stream.cork();
      stream.write(messageHeader(message));
      stream.write(message);
      stream.uncork();
    },
    halfClose: () => stream.end(),
    cancel: () => {
      if (isOver) return;
      isOver = true;
      stream.close(constants.NGHTTP2_CANCEL);
    },
  };
}

/** `grpc-message` is percent-encoded. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
