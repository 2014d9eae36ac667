// Finds out which codec a client speaks (`codec_type`): by what TLS has agreed on, or by its first bytes.
import { type ServedConnection, type ServedConnections, limitSilence } from '../codec/served-connections.ts';
import type { ExchangeSource } from '../codec/server-stream.ts';
import { PendingBytes } from '../http1/pending-bytes.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import type { Http2Context } from '../http2/connection-owner.ts';
import { ServedHttp2Connection } from '../http2/served-http2-connection.ts';
import type { AcceptHandler, Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import type { HttpSettings, HttpSettingsSlot } from './http-settings.ts';

/** What a client of HTTP/2 says first (RFC 9113 §3.4), as far as it tells it from every request of HTTP/1. */
const preface = Buffer.from('PRI * HTTP/2');

/** What is served over the connections of one filter chain. */
export interface HttpService {
  readonly connections: ServedConnections;
  readonly exchanges: ExchangeSource;
  readonly context: Http2Context;
  /** Read when a connection comes: it keeps what it began with. */
  readonly slot: HttpSettingsSlot;
}

/** The accept handler of an HTTP connection manager. */
export function httpAcceptor(service: HttpService): AcceptHandler {
  return (connection) => {
    const settings = service.slot.current;
    const acceptedAt = service.context.clock.monotonic();
    // A secured one has been counted when it came.
    if (connection.tls === null) settings.server.metrics.countAccepted(false);
    const codec = codecOf(connection, settings);
    if (codec === 'unknown') {
      const sniffer = new CodecSniffer(connection, settings, service, acceptedAt);
      service.connections.add(sniffer);
      return sniffer;
    }
    const [served, handler] = serve(codec, connection, settings, service, acceptedAt);
    service.connections.add(served);
    return handler;
  };
}

function codecOf(connection: Connection, { codec }: HttpSettings): 'http1' | 'http2' | 'unknown' {
  if (codec !== 'auto') return codec;
  const alpn = connection.tls?.alpn ?? '';
  if (alpn === 'h2') return 'http2';
  return alpn === '' ? 'unknown' : 'http1';
}

function serve(
  codec: 'http1' | 'http2',
  connection: Connection,
  settings: HttpSettings,
  { connections, exchanges, context }: HttpService,
  acceptedAt: number,
): [ServedConnection, ConnectionHandler] {
  const { server, http2 } = settings;
  if (codec === 'http1') {
    const served = new ServerConnection(connection, exchanges, server, context, connections, acceptedAt);
    return [served, served];
  }
  const served = new ServedHttp2Connection(
    connection,
    exchanges,
    server,
    http2,
    context,
    connections,
    acceptedAt,
  );
  return [served, served.codec];
}

/** A connection on which nothing has been said yet, or too little. */
class CodecSniffer implements ConnectionHandler, ServedConnection {
  readonly connection: Connection;
  readonly acceptedAt: number;
  readonly isIdle = true;
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly settings: HttpSettings;
  private readonly service: HttpService;
  private readonly pending = new PendingBytes();
  private isClosedLocally = false;
  /** It may not become as old as it may be idle. */
  private readonly endsForAge: boolean;

  constructor(connection: Connection, settings: HttpSettings, service: HttpService, acceptedAt: number) {
    this.connection = connection;
    this.settings = settings;
    this.service = service;
    this.acceptedAt = acceptedAt;
    const { idleTimeoutMs: idle, maxConnectionDurationMs: longest } = settings.server;
    this.endsForAge = longest > 0 && (idle === 0 || longest < idle);
    const limitMs = this.endsForAge ? longest : idle;
    if (limitMs > 0) service.context.timers.arm(this, limitMs, acceptedAt);
  }

  onConnect(): void {
    // It is there.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.pending.length === 0) {
      if (this.decide(buffer, start, end)) return;
      this.pending.add(buffer, start, end);
      return;
    }
    this.pending.add(buffer, start, end);
    this.decide(this.pending.bytes, 0, this.pending.length);
  }

  onEnd(): void {
    this.isClosedLocally = false;
    this.connection.end();
  }

  onDrain(): void {
    // Nothing has been written.
  }

  onClose(_error: TransportError | null): void {
    const { context, connections } = this.service;
    context.timers.disarm(this);
    this.settings.server.metrics.countClosed(
      this.isClosedLocally,
      false,
      this.connection.tls !== null,
      context.clock.monotonic() - this.acceptedAt,
    );
    connections.remove(this);
  }

  /** TimerWheelEntry: the shorter of the two limits is reached. */
  onTimeout(): void {
    const { metrics } = this.settings.server;
    (this.endsForAge ? metrics.maxDurationsReached : metrics.idleTimeouts).value++;
    this.drain();
  }

  drain(): void {
    this.isClosedLocally = true;
    this.connection.destroy();
  }

  dismiss(): void {
    limitSilence(this, this.service.context);
  }

  onLingerTimeout(): void {
    // It is never waited for.
  }

  /** Hands the connection over where its codec is clear from what has come: `buffer[start, end)`. */
  private decide(buffer: Buffer, start: number, end: number): boolean {
    const length = Math.min(end - start, preface.length);
    const isPreface = buffer.compare(preface, 0, length, start, start + length) === 0;
    if (isPreface && length < preface.length) return false;
    const { connection, settings, service } = this;
    service.context.timers.disarm(this);
    const codec = isPreface ? 'http2' : 'http1';
    const [served, handler] = serve(codec, connection, settings, service, this.acceptedAt);
    service.connections.replace(this, served);
    connection.setHandler(handler);
    handler.onData(buffer, start, end);
    return true;
  }
}
