// An application of the simulated mesh: it says who it is and what it was sent, and knows nothing of the mesh. It speaks
// the production server codec over the in-memory transport.
import { type Clock, type Timer, TimerWheel } from '@heddle/base';
import type { Listener, Transport } from '@heddle/proxy';
import { ServedConnections } from '@heddle/proxy/codec/served-connections';
import { http1Acceptor } from '@heddle/proxy/http1/acceptor';
import { type ServerSettings, defaultServerSettings } from '@heddle/proxy/http1/server-settings';
import { responseFromText } from '@heddle/proxy/http1/message-from-text';
import { FieldList } from '@heddle/proxy/codec/field-list';
import type { ExchangeSource, ServerExchange, ServerStream } from '@heddle/proxy/codec/server-stream';
import { ConnectionManagerMetrics } from '@heddle/proxy/stats/connection-manager';
import { MetricRegistry } from '@heddle/telemetry';
import type { SeededRandom } from '@heddle/testkit';
import { bodyHash, chunk, drawBody, joinChunks } from './body.ts';
import { type InstancePlan, ports } from './topology.ts';

const lastChunk = Buffer.from('0\r\n\r\n');
const settings: ServerSettings = {
  ...defaultServerSettings,
  idleTimeoutMs: 0,
  metrics: new ConnectionManagerMetrics(new MetricRegistry().scope(), 'application', null),
};

/** What an application says of itself and of the request, as JSON in `x-echo`. */
export interface Echo {
  readonly service: string;
  readonly instance: string;
  readonly version: string;
  /** Of the request's body, as it arrived. */
  readonly requestHash: string;
  /** Of the response's body, as it left. */
  readonly responseHash: string;
}

export interface EchoOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly instance: InstancePlan;
}

/** What a request asks for in its query. */
interface Wish {
  readonly sizeBytes: number;
  readonly delayMs: number;
  readonly isChunked: boolean;
}

interface RunningRequest {
  readonly wish: Wish;
  readonly isChunked: boolean;
  readonly pieces: Buffer[];
  /** What is left of the response. */
  rest: Buffer;
  timer: Timer | null;
}

/** How much is read before the application lets its peer wait, now and then. */
const pauseChance = 0.05;
const largestPauseMs = 10;
const largestPiece = 20_000;

export class EchoApplication {
  private readonly options: EchoOptions;
  private readonly timers: TimerWheel;
  private readonly connections: ServedConnections;
  private listener: Listener | null = null;
  /** Requests that were received whole. */
  received = 0;

  constructor(options: EchoOptions) {
    this.options = options;
    const { clock } = options;
    this.timers = new TimerWheel(clock);
    this.connections = new ServedConnections({ clock, timers: this.timers });
  }

  async listen(): Promise<void> {
    const exchanges: ExchangeSource = {
      take: (server) => this.exchange(server),
      giveBack: () => undefined,
    };
    const { clock, random } = this.options;
    const context = { clock, random, timers: this.timers };
    const accept = http1Acceptor(this.connections, exchanges, context, () => settings);
    const address = { host: '127.0.0.1', port: ports.application };
    this.listener = await this.options.transport.listen({ address, security: null }, accept);
  }

  get busy(): number {
    return this.connections.busy;
  }

  async close(): Promise<void> {
    await this.listener?.close();
    this.connections.destroy();
    this.timers.close();
  }

  private exchange(server: ServerStream): ServerExchange {
    const { clock, random } = this.options;
    let request: RunningRequest | null = null;
    const write = (): void => {
      while (request !== null) {
        if (request.rest.length === 0) {
          if (request.wish.isChunked) server.sendBody(lastChunk, 0, lastChunk.length);
          request = null;
          server.endResponse();
          return;
        }
        const piece = request.rest.subarray(0, random.integer(1, largestPiece));
        request.rest = request.rest.subarray(piece.length);
        const bytes = request.wish.isChunked ? chunk(piece) : piece;
        if (!server.sendBody(bytes, 0, bytes.length)) return;
      }
    };
    return {
      onRequestHead: (head) => {
        const isChunked = head.header('transfer-encoding') !== null;
        request = {
          wish: readWish(head.path),
          isChunked,
          pieces: [],
          rest: Buffer.alloc(0),
          timer: null,
        };
      },
      onRequestBody: (buffer, start, end) => {
        request!.pieces.push(Buffer.from(buffer.subarray(start, end)));
        if (!random.chance(pauseChance)) return;
        server.pauseRequest();
        clock.setTimer(random.integer(1, largestPauseMs), () => server.resumeRequest());
      },
      onRequestTrailers: () => undefined,
      onRequestEnd: () => {
        const { wish, pieces, isChunked } = request!;
        this.received++;
        const framed = Buffer.concat(pieces);
        const body = isChunked ? joinChunks(framed) : framed;
        request!.timer = clock.setTimer(wish.delayMs, () => {
          request!.rest = drawBody(random, wish.sizeBytes);
          server.sendHead(responseFromText(this.head(body, request!.rest, wish.isChunked)));
          write();
        });
      },
      onResponseDrain: write,
      onClientGone: () => {
        request?.timer?.cancel();
        request = null;
      },
      ownReplyFields: () => new FieldList(),
      onRejected: () => undefined,
    };
  }

  private head(received: Buffer, response: Buffer, isChunked: boolean): string {
    const { service, namespace, id, version } = this.options.instance;
    const echo: Echo = {
      service: `${service}.${namespace}`,
      instance: id,
      version,
      requestHash: bodyHash(received),
      responseHash: bodyHash(response),
    };
    const framing = isChunked ? 'transfer-encoding: chunked' : `content-length: ${response.length}`;
    return `HTTP/1.1 200 OK\r\n${framing}\r\nx-echo: ${JSON.stringify(echo)}\r\n\r\n`;
  }
}

function readWish(path: string): Wish {
  const query = new URL(path, 'http://echo').searchParams;
  return {
    sizeBytes: Number(query.get('bytes') ?? 0),
    delayMs: Number(query.get('delay') ?? 0),
    isChunked: query.has('chunked'),
  };
}
