// A gRPC server that does what the metadata of a call asks of it. All methods are streams to it: on the wire they are.
//
//   x-count: 5             how many messages a ServerStream gives
//   x-status: 9            how the call ends; x-details: in words
//   x-after: 3             so many messages come before that; without it the call ends in its first head
//   x-delay-ms: 100        how long it takes
//   x-echo: …              comes back before the messages
//   x-echo-bin: …          comes back behind them
import { EventEmitter, once } from 'node:events';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';

export const serviceName = 'heddle.test.Echo';

type Call = ServerDuplexStream<Buffer, Buffer>;

const bytes = (value: Buffer): Buffer => value;

function definition(): ServiceDefinition {
  const stream = {
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  return Object.fromEntries(
    ['Unary', 'ServerStream', 'ClientStream', 'Bidi'].map((method) => [
      method,
      { ...stream, path: `/${serviceName}/${method}` },
    ]),
  );
}

export class EchoServer {
  readonly port: number;
  /** Calls whose client did not wait for their end. */
  cancelled = 0;
  private readonly server: Server;
  private readonly events: EventEmitter;

  private constructor(server: Server, port: number, events: EventEmitter) {
    this.server = server;
    this.port = port;
    this.events = events;
  }

  static async start(): Promise<EchoServer> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const events = new EventEmitter();
    const onCancelled = (): void => {
      echo.cancelled++;
      events.emit('cancelled');
    };
    const handler =
      (serve: (answer: Answer) => void) =>
      (call: Call): void =>
        serve(new Answer(call, onCancelled));
    server.addService(definition(), {
      Unary: handler((answer) => answer.echoLast()),
      ServerStream: handler((answer) => answer.repeat()),
      ClientStream: handler((answer) => answer.echoLast()),
      Bidi: handler((answer) => answer.echoEach()),
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
    const echo = new EchoServer(server, await promise, events);
    return echo;
  }

  /** Waits until so many calls have been cancelled. */
  async untilCancelled(count: number): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    while (this.cancelled < count) await once(this.events, 'cancelled', { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.forceShutdown();
  }
}

/** One call on the server. */
class Answer {
  private readonly call: Call;
  private count = 0;
  private received = 0;
  private last: Buffer = Buffer.alloc(0);
  private isOver = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(call: Call, onCancelled: () => void) {
    this.call = call;
    call.on('cancelled', () => {
      if (this.timer !== null) clearTimeout(this.timer);
      if (!this.isOver) onCancelled();
      this.isOver = true;
    });
    call.on('error', () => undefined);
    call.on('data', (message: Buffer) => {
      this.count++;
      this.received += message.length;
      this.last = message;
    });
  }

  /** One message, the last that came, when all have. */
  echoLast(): void {
    this.call.on('data', () => {
      if (this.count === this.after) this.finish();
    });
    this.call.on('end', () => {
      if (this.after < 0 && !this.fails) this.write(this.last);
      this.finish();
    });
    if (this.fails && this.after < 0) this.finish();
  }

  /** The message that came, again and again. */
  repeat(): void {
    this.call.on('end', () => {
      const wanted = this.after >= 0 ? this.after : Number(this.asked('x-count'));
      let sent = 0;
      const more = (): void => {
        while (sent < wanted) {
          sent++;
          if (!this.write(this.last)) {
            this.call.once('drain', more);
            return;
          }
        }
        this.finish();
      };
      more();
    });
  }

  /** Every message as it comes. */
  echoEach(): void {
    this.call.on('data', (message: Buffer) => {
      if (this.isOver) return;
      this.write(message);
      if (this.count === this.after) this.finish();
    });
    this.call.on('end', () => this.finish());
  }

  private get after(): number {
    const after = this.asked('x-after');
    return after === '' ? -1 : Number(after);
  }

  private get fails(): boolean {
    return this.asked('x-status') !== '';
  }

  private write(message: Buffer): boolean {
    this.sendHead();
    return this.call.write(message);
  }

  private sendHead(): void {
    const echo = this.asked('x-echo');
    const metadata = new Metadata();
    if (echo !== '') metadata.set('x-echo', echo);
    this.call.sendMetadata(metadata);
  }

  private finish(): void {
    if (this.isOver) return;
    const delayMs = Number(this.asked('x-delay-ms'));
    if (delayMs > 0 && this.timer === null) {
      this.timer = setTimeout(() => this.finish(), delayMs);
      return;
    }
    this.isOver = true;
    const trailers = new Metadata();
    trailers.set('x-received', `${this.count} ${this.received}`);
    trailers.set('x-deadline-ms', this.remaining());
    const [echo] = this.call.metadata.get('x-echo-bin');
    if (echo !== undefined) trailers.set('x-echo-bin', echo);
    if (this.fails) {
      const details = decodeURIComponent(this.asked('x-details'));
      this.call.emit('error', { code: Number(this.asked('x-status')), details, metadata: trailers });
    } else {
      this.sendHead();
      this.call.end(trailers);
    }
  }

  /** Milliseconds to the call's deadline. */
  private remaining(): string {
    const deadline = this.call.getDeadline();
    if (deadline === Infinity) return 'none';
    return String(Math.round(Number(deadline) - Date.now()));
  }

  private asked(name: string): string {
    return String(this.call.metadata.get(name)[0] ?? '');
  }
}
