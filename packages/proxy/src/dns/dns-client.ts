// Asks DNS servers: by UDP, and by TCP where an answer doesn't fit a datagram.
import { type Clock, type Random, errorMessage } from '@heddle/base';
import type { DatagramAddress, DatagramSocket, DatagramTransport } from '../transport/datagrams.ts';
import { isIpv6Address } from '../transport/ip-address.ts';
import type { Connection, Transport } from '../transport/transport.ts';
import { type DnsMessage, type DnsQuestion, ResponseCode, questionText } from './dns-message.ts';
import { readMessage } from './read-message.ts';
import type { ResolverConfiguration } from './resolver-configuration.ts';
import { FrameReader, frameMessage } from './stream-framing.ts';
import { writeMessage } from './write-message.ts';

export interface DnsClientOptions {
  readonly transport: Transport;
  readonly datagrams: DatagramTransport;
  readonly clock: Clock;
  readonly random: Random;
}

/** The servers' word on a question, or why there is none. */
export type DnsReply =
  | { readonly ok: true; readonly message: DnsMessage; readonly bytes: Buffer }
  | { readonly ok: false; readonly detail: string };

/** How to ask, of a resolver's configuration. */
export type DnsServers = Pick<ResolverConfiguration, 'servers' | 'timeoutMs' | 'attempts' | 'usesTcp'>;

/** What we say we take in one datagram: fits everywhere without fragments (the DNS flag day's number). */
const payloadBytes = 1232;
/** Questions asked at the same time; others wait. */
const maxInFlight = 64;

export class DnsClient {
  private readonly options: DnsClientOptions;
  private inFlight = 0;
  private readonly waiting: (() => void)[] = [];
  /** Ends what is under way. */
  private readonly open = new Set<(detail: string) => void>();
  /** Ids and questions on their way. */
  private readonly asking = new Set<string>();
  private isClosed = false;

  constructor(options: DnsClientOptions) {
    this.options = options;
  }

  /**
   * Asks one server after the other until one knows: a name that doesn't exist is an answer; a server that fails, refuses
   * or says nothing leads to the next one.
   */
  async query(question: DnsQuestion, servers: DnsServers): Promise<DnsReply> {
    if (this.inFlight >= maxInFlight) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
    this.inFlight++;
    try {
      return await this.askAll(question, servers);
    } finally {
      this.inFlight--;
      this.waiting.shift()?.();
    }
  }

  /** Whether a question with this id is one of ours that is on its way. */
  isAsking(id: number, question: DnsQuestion): boolean {
    return this.asking.has(`${id} ${questionText(question)}`);
  }

  /** Gives all questions up. */
  close(): void {
    this.isClosed = true;
    for (const end of [...this.open]) end('the resolver was closed');
    for (const wake of this.waiting.splice(0)) wake();
  }

  private async askAll(question: DnsQuestion, servers: DnsServers): Promise<DnsReply> {
    let failure: DnsReply = { ok: false, detail: 'there is no DNS server to ask' };
    for (let attempt = 0; attempt < servers.attempts; attempt++) {
      for (const server of servers.servers) {
        if (this.isClosed) return { ok: false, detail: 'the resolver was closed' };
        // One after the other on purpose: the next server is for when this one fails.
        // eslint-disable-next-line no-await-in-loop
        const reply = await this.ask(question, server, servers);
        if (!reply.ok) {
          failure = reply;
          continue;
        }
        const { responseCode } = reply.message;
        if (responseCode === ResponseCode.noError || responseCode === ResponseCode.nameError) return reply;
        failure = { ok: false, detail: `${server.host} answered with code ${responseCode}` };
      }
    }
    return failure;
  }

  private async ask(question: DnsQuestion, server: DatagramAddress, how: DnsServers): Promise<DnsReply> {
    if (how.usesTcp) return this.askByStream(question, server, how.timeoutMs);
    const reply = await this.askByDatagram(question, server, how.timeoutMs);
    if (!reply.ok || !reply.message.isTruncated) return reply;
    return this.askByStream(question, server, how.timeoutMs);
  }

  /**
   * Each question has a socket of its own: a port that the system chooses at random beside the random id, which who
   * wants to forge an answer has to guess both. What is no answer to the question is ignored, not taken for a failure.
   */
  private askByDatagram(
    question: DnsQuestion,
    server: DatagramAddress,
    timeoutMs: number,
  ): Promise<DnsReply> {
    const request = this.request(question);
    const key = `${request.id} ${questionText(question)}`;
    this.asking.add(key);
    const local = { host: isIpv6Address(server.host) ? '::' : '0.0.0.0', port: 0 };
    return this.exchange(timeoutMs, server, (finish) => {
      let socket: DatagramSocket | null = null;
      let isOver = false;
      this.options.datagrams
        .openDatagrams(
          { local, peer: server },
          {
            onDatagram: (bytes) => {
              const message = answerTo(request, bytes);
              if (message !== null) finish({ ok: true, message, bytes });
            },
            onError: (detail) => finish({ ok: false, detail: `${server.host}: ${detail}` }),
          },
        )
        .then(
          (opened) => {
            if (isOver) {
              opened.close();
              return;
            }
            socket = opened;
            opened.send(writeMessage(request), server);
          },
          (error: unknown) => finish({ ok: false, detail: errorMessage(error) }),
        );
      return () => {
        isOver = true;
        this.asking.delete(key);
        socket?.close();
      };
    });
  }

  private askByStream(question: DnsQuestion, server: DatagramAddress, timeoutMs: number): Promise<DnsReply> {
    const request = this.request(question);
    return this.exchange(timeoutMs, server, (finish) => {
      const reader = new FrameReader();
      const connection: Connection = this.options.transport.connect(
        { address: server, security: null, timeoutMs },
        {
          onConnect: () => {
            const frame = frameMessage(writeMessage(request));
            connection.write(frame, 0, frame.length);
          },
          onData: (buffer, start, end) => {
            for (const bytes of reader.push(buffer, start, end)) {
              const message = answerTo(request, bytes);
              if (message !== null && !message.isTruncated)
                finish({ ok: true, message, bytes: Buffer.from(bytes) });
            }
          },
          onEnd: () => connection.destroy(),
          onDrain: () => undefined,
          onClose: (error) =>
            finish({ ok: false, detail: `${server.host}: ${error?.detail ?? 'the connection was closed'}` }),
        },
      );
      return () => connection.destroy();
    });
  }

  /** Runs one exchange to its first outcome, which may be that the time is up; `start` returns how to end it. */
  private exchange(
    timeoutMs: number,
    server: DatagramAddress,
    start: (finish: (reply: DnsReply) => void) => () => void,
  ): Promise<DnsReply> {
    return new Promise((resolve) => {
      let stop = (): void => undefined;
      const finish = (reply: DnsReply): void => {
        if (!this.open.delete(giveUp)) return;
        timer.cancel();
        stop();
        resolve(reply);
      };
      const giveUp = (detail: string): void => finish({ ok: false, detail });
      const timer = this.options.clock.setTimer(timeoutMs, () =>
        giveUp(`${server.host} did not answer within ${timeoutMs} ms`),
      );
      this.open.add(giveUp);
      stop = start(finish);
    });
  }

  private request(question: DnsQuestion): DnsMessage {
    return {
      id: this.options.random.uint32() & 0xffff,
      isResponse: false,
      opcode: 0,
      isAuthoritative: false,
      isTruncated: false,
      recursionDesired: true,
      recursionAvailable: false,
      responseCode: ResponseCode.noError,
      questions: [question],
      answers: [],
      authorities: [],
      additionals: [],
      ednsPayloadBytes: payloadBytes,
    };
  }
}

/** The message where it answers the request: same id, same question. */
function answerTo(request: DnsMessage, bytes: Buffer): DnsMessage | null {
  const result = readMessage(bytes);
  if (!result.ok) return null;
  const message = result.value;
  const [asked] = request.questions;
  const [echoed, second] = message.questions;
  if (!message.isResponse || message.id !== request.id || message.opcode !== 0) return null;
  if (echoed === undefined || second !== undefined) return null;
  return questionText(echoed) === questionText(asked!) ? message : null;
}
