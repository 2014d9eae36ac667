// gRPC over node:http2, client side. Whom it talks to, and how that is proven, is the business of the given `connect`.
import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Clock, Logger, Timer } from '@heddle/base';
import { errorMessage, silentLogger } from '@heddle/base';
import { RpcCode } from '../rpc.ts';
import type { RpcClient, RpcReply, RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { GrpcStream } from './grpc-stream.ts';

const nothing = new Uint8Array(0);
const noStatus: RpcStatus = { code: RpcCode.ok, message: '' };

export interface Http2RpcClientOptions {
  /**
   * Makes a connection: with TLS one whose handshake is over, whose peer has been checked, and on which ALPN chose `h2`.
   * The signal is aborted when nobody waits for it any more.
   */
  connect(signal: AbortSignal): Promise<Duplex>;
  /** `host:port`, for the `:authority` of requests and for logs. */
  readonly authority: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** `https` by default. */
  readonly scheme?: 'http' | 'https';
  /** The default is 10,000. */
  readonly connectTimeoutMs?: number;
  /** How often a connection with open streams is asked whether it is alive; the default is 10,000. */
  readonly keepAliveMs?: number;
  /** How long the answer to that may take; the default is 5,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Larger messages end their stream; the default is 16 MiB. */
  readonly maxMessageBytes?: number;
}

/** One HTTP/2 connection that is made when it is needed and again when it was lost. */
export class Http2RpcClient implements RpcClient {
  private readonly options: Http2RpcClientOptions;
  private readonly logger: Logger;
  private readonly streams = new Set<GrpcStream>();
  /** Streams that wait for the connection that is being made. */
  private readonly waiting = new Set<GrpcStream>();
  private session: ClientHttp2Session | null = null;
  private connecting: AbortController | null = null;
  private keepAliveTimer: Timer | null = null;
  private isClosed = false;

  constructor(options: Http2RpcClientOptions) {
    this.options = options;
    this.logger = options.logger ?? silentLogger;
  }

  openStream(method: string, handler: RpcStreamHandler): RpcStream {
    const stream = new GrpcStream(
      method,
      handler,
      this.options.maxMessageBytes ?? 16 * 1024 * 1024,
      (over) => {
        this.streams.delete(over);
        this.waiting.delete(over);
      },
    );
    this.streams.add(stream);
    if (this.isClosed) {
      stream.fail({ code: RpcCode.cancelled, message: 'The client is closed.' });
    } else if (this.session === null) {
      this.waiting.add(stream);
      if (this.connecting === null) void this.connect();
    } else {
      this.open(stream, this.session);
    }
    return stream;
  }

  call(method: string, request: Uint8Array, timeoutMs: number): Promise<RpcReply> {
    const { promise, resolve } = Promise.withResolvers<RpcReply>();
    let message: Uint8Array | null = null;
    let isLate = false;
    const stream = this.openStream(method, {
      onMessage: (reply) => {
        message ??= reply;
      },
      onHalfClose: () => undefined,
      onWritable: () => undefined,
      onEnd: (status) => {
        timer.cancel();
        resolve(replyOf(isLate ? timedOut(timeoutMs) : status, message));
      },
    });
    const timer = this.options.clock.setTimer(timeoutMs, () => {
      isLate = true;
      stream.cancel();
    });
    stream.send(request);
    stream.end();
    return promise;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.connecting?.abort();
    this.keepAliveTimer?.cancel();
    for (const stream of this.streams)
      stream.fail({ code: RpcCode.cancelled, message: 'The client was closed.' });
    const { session } = this;
    this.session = null;
    session?.destroy();
  }

  private async connect(): Promise<void> {
    const { clock, connectTimeoutMs = 10_000, authority } = this.options;
    const controller = new AbortController();
    this.connecting = controller;
    const aborted = Promise.withResolvers<never>();
    controller.signal.addEventListener('abort', () => aborted.reject(controller.signal.reason), {
      once: true,
    });
    const timer = clock.setTimer(connectTimeoutMs, () => {
      controller.abort(new Error(`no connection within ${connectTimeoutMs} ms`));
    });
    const attempt = Promise.try(() => this.options.connect(controller.signal));
    try {
      const socket = await Promise.race([attempt, aborted.promise]);
      this.connecting = null;
      if (this.isClosed) socket.destroy();
      else this.begin(socket);
    } catch (error) {
      this.connecting = null;
      // A connection that comes after the time is up belongs to nobody.
      attempt.then((socket) => socket.destroy()).catch(() => undefined);
      const status = {
        code: RpcCode.unavailable,
        message: `Cannot connect to ${authority}: ${errorMessage(error)}`,
      };
      for (const stream of [...this.waiting]) stream.fail(status);
      this.waiting.clear();
    } finally {
      timer.cancel();
    }
  }

  private begin(socket: Duplex): void {
    const { authority, scheme = 'https' } = this.options;
    const session = connectHttp2(`${scheme}://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: 256 * 1024 },
    });
    const lose = (): void => {
      if (this.session === session) this.session = null;
    };
    session.on('error', (error) => {
      this.logger.debug('The connection failed', { authority, reason: error.message });
      lose();
    });
    session.on('goaway', lose);
    session.on('close', lose);
    this.session = session;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const stream of waiting) this.open(stream, session);
    this.scheduleKeepAlive(session);
  }

  private open(stream: GrpcStream, session: ClientHttp2Session): void {
    try {
      stream.open(session, this.options.authority, this.options.scheme ?? 'https');
    } catch (error) {
      // The session is being closed and has not said so yet.
      if (this.session === session) this.session = null;
      stream.fail({ code: RpcCode.unavailable, message: errorMessage(error) });
    }
  }

  private scheduleKeepAlive(session: ClientHttp2Session): void {
    const { clock, keepAliveMs = 10_000 } = this.options;
    this.keepAliveTimer?.cancel();
    this.keepAliveTimer = clock.setTimer(keepAliveMs, () => {
      if (session.destroyed || this.session !== session) return;
      if (this.streams.size > 0) this.ping(session);
      this.scheduleKeepAlive(session);
    });
  }

  private ping(session: ClientHttp2Session): void {
    const { clock, authority, keepAliveTimeoutMs = 5000 } = this.options;
    const timer = clock.setTimer(keepAliveTimeoutMs, () => {
      this.logger.info('The connection is dead', { authority });
      session.destroy(
        new Error(`no answer to a ping within ${keepAliveTimeoutMs} ms`),
        constants.NGHTTP2_CANCEL,
      );
    });
    session.ping(() => timer.cancel());
  }
}

function timedOut(timeoutMs: number): RpcStatus {
  return { code: RpcCode.deadlineExceeded, message: `No answer within ${timeoutMs} ms.` };
}

function replyOf(status: RpcStatus, message: Uint8Array | null): RpcReply {
  if (status.code !== RpcCode.ok) return { status, message: nothing };
  if (message === null)
    return { status: { code: RpcCode.internal, message: 'The answer is empty.' }, message: nothing };
  return { status: noStatus, message };
}
