/** One connection of gRPC whose peer is known: calls by path, and a look now and then at whether anybody is there. */
import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@heddle/base';
import { RpcCode, type RpcMethods, type RpcPeer } from '@heddle/xds';
import { refuse, serveStream, serveUnary } from './grpc-call.ts';

export interface GrpcSessionOptions {
  readonly methods: RpcMethods;
  readonly clock: Clock;
  /** How often the peer is asked whether it is alive, and how long it may take to answer. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

/** A sidecar has a handful. */
const maxConcurrentStreams = 100;

/** Begins to serve a connection; returns how to end it at once. */
export function serveConnection(socket: Duplex, peer: RpcPeer, options: GrpcSessionOptions): () => void {
  const session = performServerHandshake(socket, {
    settings: { enablePush: false, maxConcurrentStreams },
  });
  const end = (): void => {
    session.destroy();
    // After a goodbye of the peer's, HTTP/2 leaves the end of the connection to the peer.
    if (session.closed) socket.destroy();
  };
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    serveCall(stream, headers, peer, options.methods);
  });
  // Whatever a peer does wrong ends its connection and nothing else.
  session.on('error', () => session.destroy());
  const keepalive = new Keepalive(session, end, options);
  session.on('close', () => keepalive.stop());
  return end;
}

function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  peer: RpcPeer,
  methods: RpcMethods,
): void {
  stream.on('error', () => undefined);
  const { ':method': verb, ':path': path = '', 'content-type': contentType = '' } = headers;
  if (verb !== 'POST' || !/^application\/grpc(?:[+;]|$)/.test(contentType)) {
    stream.respond({ ':status': 415 }, { endStream: true });
    stream.resume();
    return;
  }
  const method = methods.get(path);
  if (method === undefined) refuse(stream, { code: RpcCode.unimplemented, message: `There is no ${path}.` });
  else if (method.kind === 'stream') serveStream(method, stream, peer);
  else serveUnary(method, stream, peer);
}

class Keepalive {
  private readonly session: ServerHttp2Session;
  private readonly end: () => void;
  private readonly options: GrpcSessionOptions;
  private timer: Timer;

  constructor(session: ServerHttp2Session, end: () => void, options: GrpcSessionOptions) {
    this.session = session;
    this.end = end;
    this.options = options;
    this.timer = this.wait();
  }

  stop(): void {
    this.timer.cancel();
  }

  private wait(): Timer {
    return this.options.clock.setTimer(this.options.keepaliveMs, () => this.ask());
  }

  private ask(): void {
    const { clock, keepaliveTimeoutMs } = this.options;
    // The peer has said goodbye, and holds the connection all the same: a session that is over takes no ping.
    if (this.session.destroyed) {
      this.end();
      return;
    }
    this.timer = clock.setTimer(keepaliveTimeoutMs, this.end);
    this.session.ping((error) => {
      if (error !== null || this.session.destroyed) return;
      this.timer.cancel();
      this.timer = this.wait();
    });
  }
}
