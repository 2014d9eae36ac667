// The caller in an application: keeps connections to its own sidecar alive and sends one request at a time on each, by
// the production client codec over the in-memory transport.
import type { Clock } from '@heddle/base';
import type { Transport } from '@heddle/proxy';
import { ResponseKind, type UpstreamExchange } from '@heddle/proxy/codec/client-stream';
import { ClientConnection, defaultClientSettings } from '@heddle/proxy/http1/client';
import { requestFromText } from '@heddle/proxy/http1/message-from-text';
import type { SeededRandom } from '@heddle/testkit';
import { chunk, joinChunks } from './body.ts';

export interface HttpRequest {
  /** Of the sidecar's listener, on loopback. */
  readonly port: number;
  readonly method: 'GET' | 'POST';
  /** Absolute where the listener is a proxy. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isChunked: boolean;
}

export interface HttpReply {
  /** 0 where there was none. */
  readonly status: number;
  readonly echo: string;
  readonly body: Buffer;
  /** Why there was none; empty otherwise. */
  readonly failure: string;
}

const pauseChance = 0.05;
const largestPauseMs = 10;
const largestPiece = 20_000;
const connectTimeoutMs = 1000;

export class HttpClient {
  private readonly transport: Transport;
  private readonly clock: Clock;
  private readonly random: SeededRandom;
  private readonly idle = new Map<number, ClientConnection[]>();
  private readonly open = new Set<ClientConnection>();
  /** Requests without a reply. */
  inFlight = 0;

  constructor(transport: Transport, clock: Clock, random: SeededRandom) {
    this.transport = transport;
    this.clock = clock;
    this.random = random;
  }

  send(request: HttpRequest, onReply: (reply: HttpReply) => void): void {
    this.inFlight++;
    const finish = (reply: HttpReply): void => {
      this.inFlight--;
      onReply(reply);
    };
    const connection = this.idle.get(request.port)?.pop();
    if (connection !== undefined) this.write(connection, request, finish);
    else this.connect(request, finish);
  }

  close(): void {
    for (const connection of [...this.open]) connection.close();
  }

  private connect(request: HttpRequest, finish: (reply: HttpReply) => void): void {
    const { port } = request;
    let isConnected = false;
    const connection: ClientConnection = new ClientConnection(
      {
        onExchangeEnded: () => undefined,
        onConnected: () => {
          isConnected = true;
          this.write(connection, request, finish);
        },
        onAvailable: () => {
          const idle = this.idle.get(port);
          if (idle === undefined) this.idle.set(port, [connection]);
          else idle.push(connection);
        },
        onGone: (error) => {
          this.open.delete(connection);
          const idle = this.idle.get(port);
          const index = idle?.indexOf(connection) ?? -1;
          if (index >= 0) idle!.splice(index, 1);
          if (!isConnected) finish(noReply(error?.detail ?? 'not connected'));
        },
      },
      defaultClientSettings,
      { bytesSent: { value: 0 }, bytesReceived: { value: 0 } },
    );
    this.open.add(connection);
    const address = { host: '127.0.0.1', port };
    connection.attach(
      this.transport.connect({ address, security: null, timeoutMs: connectTimeoutMs }, connection),
    );
  }

  private write(
    connection: ClientConnection,
    request: HttpRequest,
    finish: (reply: HttpReply) => void,
  ): void {
    let rest = request.body;
    let isWritten = false;
    const writeBody = (): void => {
      if (isWritten) return;
      while (rest.length > 0) {
        const piece = rest.subarray(0, this.random.integer(1, largestPiece));
        rest = rest.subarray(piece.length);
        const bytes = request.isChunked ? chunk(piece) : piece;
        if (!connection.sendBody(bytes, 0, bytes.length)) return;
      }
      isWritten = true;
      if (request.isChunked) connection.sendBody(lastChunk, 0, lastChunk.length);
      connection.endRequest();
    };
    const exchange = this.receiver(connection, writeBody, finish);
    connection.openStream();
    connection.sendHead(exchange, requestFromText(headOf(request)), ResponseKind.usual);
    writeBody();
  }

  private receiver(
    connection: ClientConnection,
    writeBody: () => void,
    finish: (reply: HttpReply) => void,
  ): UpstreamExchange {
    let status = 0;
    let echo = '';
    let isChunked = false;
    const pieces: Buffer[] = [];
    return {
      onResponseHead: (head) => {
        ({ status } = head);
        echo = head.header('x-echo') ?? '';
        isChunked = head.header('transfer-encoding') !== null;
      },
      onInterimResponse: () => undefined,
      onUpgraded: () => undefined,
      onResponseTrailers: () => undefined,
      onResponseBody: (buffer, start, end) => {
        pieces.push(Buffer.from(buffer.subarray(start, end)));
        if (!this.random.chance(pauseChance)) return;
        connection.pauseResponse();
        this.clock.setTimer(this.random.integer(1, largestPauseMs), () => connection.resumeResponse());
      },
      onResponseEnd: () => {
        const framed = Buffer.concat(pieces);
        const body = isChunked ? joinChunks(framed) : framed;
        finish({ status, echo, body, failure: '' });
      },
      onResponsePause: () => undefined,
      onRequestDrain: writeBody,
      onUpstreamFailed: (failure) => finish(noReply(`${failure.kind}: ${failure.detail}`)),
    };
  }
}

const lastChunk = chunk(Buffer.alloc(0));

function noReply(failure: string): HttpReply {
  return { status: 0, echo: '', body: Buffer.alloc(0), failure };
}

function headOf({ method, target, headers, body, isChunked }: HttpRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (isChunked) lines.push('transfer-encoding: chunked\r\n');
  else if (body.length > 0) lines.push(`content-length: ${body.length}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
