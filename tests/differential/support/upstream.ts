// The upstream of one side: records what it is sent and answers as the case says.
import { type Socket, createServer } from 'node:net';
import { type TestServer, listenLocally } from '@heddle/testkit';
import type { Answer, DifferentialCase, SeenMessage } from './case.ts';
import { Changes } from './changes.ts';
import { headEnd, readMessage } from './message-reader.ts';

/** How every answer that a case doesn't give looks: marked, so that a proxy's own replies can be told apart. */
export const plainAnswer: Answer = {
  text: 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 5\r\n\r\nhello',
};

/** The path of the request that finds out whether a connection still serves; it is answered and not recorded. */
export const probePath = '/is-it-still-open';

/** What the side of a comparison asks of its upstream, whichever HTTP it speaks. */
export interface UpstreamServer {
  readonly port: number;
  readonly changes: Changes;
  /** Requests that have come, complete. */
  readonly requests: readonly SeenMessage[];
  /** Heads that have begun to arrive and are complete. */
  readonly heads: number;
  /** What came on raw connections and in tunnels. */
  readonly bytes: string;
  begin(current: DifferentialCase): void;
  /** Closes all connections, so that no case finds what an earlier one left in a pool. */
  end(): void;
  close(): Promise<void>;
}

export class Upstream implements UpstreamServer {
  readonly changes = new Changes();
  requests: SeenMessage[] = [];
  heads = 0;
  bytes = '';
  private readonly server: TestServer;
  private script: readonly Answer[] = [plainAnswer];
  private current: DifferentialCase | null = null;
  private sockets = new Set<Socket>();

  private constructor(server: TestServer) {
    this.server = server;
    server.server.on('connection', (socket) => this.serve(socket));
  }

  static async start(): Promise<Upstream> {
    return new Upstream(await listenLocally(createServer({ allowHalfOpen: true })));
  }

  get port(): number {
    return this.server.port;
  }

  begin(current: DifferentialCase): void {
    this.current = current;
    this.requests = [];
    this.heads = 0;
    this.bytes = '';
    const { upstream = plainAnswer } = current;
    this.script = Array.isArray(upstream) ? upstream : [upstream as Answer];
  }

  end(): void {
    this.current = null;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    const { current } = this;
    if (current?.greeting !== undefined) socket.write(current.greeting, 'latin1');
    if (current?.raw === true) {
      socket.on('end', () => socket.end());
      this.echo(socket, '');
      return;
    }
    let text = '';
    let answeredHead = false;
    /** Which answer is that of the request being read. */
    let index = 0;
    socket.on('end', () => socket.end());
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      for (;;) {
        const end = headEnd(text, 0);
        if (end < 0) return;
        if (!answeredHead && !text.includes(probePath)) {
          answeredHead = true;
          index = this.heads++;
          const answer = this.answerOf(index);
          if (answer.when === 'head') {
            socket.off('data', onData);
            this.bytes += text.slice(end);
            this.answer(socket, answer, text.slice(end));
            return;
          }
          this.changes.tell();
        }
        const read = readMessage(text, 0, { isResponse: false, hasNoBody: false, isClosed: false });
        if (read === null) return;
        answeredHead = false;
        text = text.slice(read.end);
        if (read.message.line.includes(probePath)) {
          socket.write(plainAnswer.text, 'latin1');
          continue;
        }
        this.requests.push(read.message);
        const answer = this.answerOf(index);
        if (answer.afterwards === 'echo') socket.off('data', onData);
        this.answer(socket, answer, text);
        this.changes.tell();
        if (answer.afterwards === 'echo') return;
      }
    };
    socket.on('data', onData);
  }

  private answerOf(index: number): Answer {
    return this.script[Math.min(index, this.script.length - 1)]!;
  }

  private answer(socket: Socket, answer: Answer, rest: string): void {
    socket.write(answer.text, 'latin1');
    if (answer.afterwards === 'close') socket.end();
    else if (answer.afterwards === 'reset') socket.resetAndDestroy();
    else if (answer.afterwards === 'echo') this.echo(socket, rest);
    else if (answer.when === 'head')
      socket.on('data', (chunk: Buffer) => this.record(chunk.toString('latin1')));
    this.changes.tell();
  }

  private echo(socket: Socket, first: string): void {
    if (first !== '') {
      this.record(first);
      socket.write(first, 'latin1');
    }
    socket.on('data', (chunk: Buffer) => {
      this.record(chunk.toString('latin1'));
      socket.write(chunk);
    });
  }

  private record(text: string): void {
    this.bytes += text;
    this.changes.tell();
  }
}
