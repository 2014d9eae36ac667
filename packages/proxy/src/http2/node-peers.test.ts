// Random exchanges with Node's HTTP/2 as the other end, in both roles over real sockets: what one end sends is what the
// other is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';
import { createLogger, systemClock } from '@heddle/base';
import { SeededRandom } from '@heddle/testkit';
import type { FieldList } from '../codec/field-list.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import { Http2ClientConnection } from './client-connection.ts';
import { ErrorCode } from './error-code.ts';
import type { Http2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Http2ServerConnection } from './server-connection.ts';
import type { Http2StreamHandler, StreamReset } from './stream-handler.ts';
import { fieldsOf, testContext, testSettings } from './test-servers.ts';

const exchanges = 150;
const concurrency = 20;

/** Half an exchange. */
interface Message {
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly trailer: string | null;
}

interface Plan {
  readonly index: number;
  readonly method: string;
  readonly status: number;
  readonly request: Message;
  readonly response: Message;
  /** Who cuts the exchange off once it has seen the other's head. */
  readonly resetBy: 'client' | 'server' | null;
}

function randomMessage(random: SeededRandom, hasBody: boolean): Message {
  const length = !hasBody ? 0 : random.chance(0.2) ? random.integer(0, 300_000) : random.integer(0, 500);
  return {
    fields: Array.from({ length: random.integer(0, 6) }, () => [
      `x-${random.integer(0, 20)}`,
      random.chance(0.5) ? 'same' : random.integer(0, 1e9).toString(36).repeat(random.integer(1, 20)),
    ]),
    body: Buffer.alloc(length, random.integer(0, 1e9).toString(36)),
    trailer: hasBody && random.chance(0.3) ? String(random.integer(0, 99)) : null,
  };
}

function plans(seed: string): Plan[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: exchanges }, (_, index) => {
    const method = random.pick(['GET', 'POST', 'PUT', 'HEAD', 'DELETE']);
    const status = random.pick([200, 200, 201, 204, 304, 404, 503]);
    const cut = random.float();
    return {
      index,
      method,
      status,
      request: randomMessage(random, method === 'POST' || method === 'PUT'),
      response: randomMessage(random, method !== 'HEAD' && status !== 204 && status !== 304),
      resetBy: cut < 0.1 ? 'client' : cut < 0.2 ? 'server' : null,
    };
  });
}

/** What one end was told: its text is compared with that of the plan. */
class Told {
  fields: readonly (readonly [string, string])[] = [];
  readonly parts: Buffer[] = [];
  trailer: string | null = null;

  get text(): string {
    return textOf({ fields: this.fields, body: Buffer.concat(this.parts), trailer: this.trailer });
  }
}

function textOf({ fields, body, trailer }: Message): string {
  // Node joins values of one name, and says nothing of their order among others.
  const joined = new Map<string, string>();
  for (const [name, value] of fields) {
    const earlier = joined.get(name);
    joined.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const own = [...joined]
    .filter(([name]) => name.startsWith('x-') && name !== 'x-plan')
    .toSorted(([a], [b]) => a.localeCompare(b));
  return JSON.stringify([own, body.toString('latin1'), trailer]);
}

function nodeHeaders(fields: Message['fields']): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const [name, value] of fields) (result[name] ??= []).push(value);
  return result;
}

function pairsOf(headers: http2.IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).map(([name, value]) => [name, String(value)]);
}

/** One of our streams: sends a message as fast as it is taken, and keeps what it is told. */
class OurEnd implements Http2StreamHandler {
  stream!: Http2Stream;
  readonly told = new Told();
  status = '';
  onHead: () => void = () => undefined;
  onComplete: () => void = () => undefined;
  onCut: (reset: StreamReset) => void = () => undefined;
  private sending: Message | null = null;
  private sent = 0;

  send(head: readonly (readonly [string, string])[], message: Message): void {
    const { body, trailer } = message;
    this.stream.sendHeaders(fieldsOf(...head, ...message.fields), body.length === 0 && trailer === null);
    if (body.length === 0 && trailer === null) return;
    this.sending = message;
    this.onDrain();
  }

  onHeaders(fields: FieldList): void {
    this.told.fields = fields.fields.slice(0, fields.length).map(({ name, value }) => [name, value]);
    this.status = fields.value(':status') ?? '';
    this.onHead();
  }

  onInformational(fields: FieldList): void {
    assert.equal(fields.value(':status'), '103');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.told.parts.push(Buffer.from(buffer.subarray(start, end)));
    // Whoever reads it takes its time.
    this.stream.pauseReading();
    setImmediate(() => {
      this.stream.resumeReading();
    });
  }

  onTrailers(fields: FieldList): void {
    this.told.trailer = fields.value('x-trailer');
  }

  onEnd(): void {
    this.onComplete();
  }

  onDrain(): void {
    const message = this.sending;
    if (message === null) return;
    const { body, trailer } = message;
    while (this.sent < body.length) {
      const end = Math.min(body.length, this.sent + 9000);
      const start = this.sent;
      this.sent = end;
      if (
        !this.stream.sendData(body, start, end, end === body.length && trailer === null) &&
        end < body.length
      )
        return;
    }
    this.sending = null;
    if (trailer !== null) this.stream.sendTrailers(fieldsOf(['x-trailer', trailer]));
    else if (body.length === 0) this.stream.endStream();
  }

  onClosed(): void {
    // Told in its parts.
  }

  onReset(reset: StreamReset): void {
    this.onCut(reset);
  }
}

const logger = createLogger({ clock: systemClock, sink: (line) => assert.fail(line) });
const random = new SeededRandom('node peers');

/** Runs `one` for each plan, some at a time. */
async function inParallel(all: readonly Plan[], one: (plan: Plan) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let plan = left.shift(); plan !== undefined; plan = left.shift()) await one(plan);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function serveByUs(
  context: TestContext,
  all: readonly Plan[],
  options: Partial<Http2Options>,
): Promise<number> {
  const shared = testContext(systemClock, random);
  const settings = testSettings(options);
  const servers = new Set<Http2ServerConnection>();
  const onStream = (stream: Http2Stream): OurEnd => {
    const end = new OurEnd();
    end.stream = stream;
    let plan: Plan | undefined;
    end.onHead = () => {
      plan = all[Number(end.told.fields.find(([name]) => name === 'x-plan')![1])]!;
      if (plan.resetBy === 'server') stream.reset(ErrorCode.enhanceYourCalm);
      else if (plan.resetBy === 'client') stream.sendInformational(fieldsOf([':status', '103']));
    };
    end.onComplete = () => {
      assert.equal(end.told.text, textOf(plan!.request));
      if (plan!.resetBy === null) end.send([[':status', String(plan!.status)]], plan!.response);
    };
    return end;
  };
  const listener = await new NodeTransport(systemClock, logger).listen(
    { address: { host: '127.0.0.1', port: 0 }, security: null },
    (connection) => {
      const owner = {
        onStream,
        onBusyChanged: () => undefined,
        onLingering: () => undefined,
        onFault: ({ detail }: { readonly detail: string }) => assert.fail(detail),
        onGone: () => undefined,
      };
      const server = new Http2ServerConnection(connection, owner, settings, shared);
      servers.add(server);
      return server;
    },
  );
  context.after(async () => {
    for (const server of servers) server.destroy();
    await listener.close();
  });
  return (listener.address as { port: number }).port;
}

async function askByNode(session: http2.ClientHttp2Session, plan: Plan): Promise<void> {
  const { request, response } = plan;
  const hasBody = request.body.length > 0 || request.trailer !== null;
  const stream = session.request(
    { ':method': plan.method, 'x-plan': String(plan.index), ...nodeHeaders(request.fields) },
    { endStream: !hasBody, waitForTrailers: request.trailer !== null },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': request.trailer! }));
  if (hasBody) stream.end(request.body);
  if (plan.resetBy === 'client') {
    stream.on('headers', () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on('error', () => undefined);
    await once(stream, 'close');
    return;
  }
  const told = new Told();
  stream.on('data', (part: Buffer) => told.parts.push(part));
  stream.on('trailers', (fields) => (told.trailer = String(fields['x-trailer'])));
  if (plan.resetBy === 'server') {
    const [error] = (await once(stream, 'error')) as [Error];
    assert.match(error.message, /NGHTTP2_ENHANCE_YOUR_CALM/);
    return;
  }
  stream.on('response', (fields) => {
    assert.equal(fields[':status'], plan.status);
    told.fields = pairsOf(fields);
  });
  await once(stream, 'close');
  assert.equal(told.text, textOf(response));
}

function serveByNode(all: readonly Plan[], options: http2.ServerOptions): http2.Http2Server {
  const server = http2.createServer(options);
  server.on('stream', (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
    const plan = all[Number(fields['x-plan'])]!;
    stream.on('error', () => undefined);
    if (plan.resetBy === 'server') {
      stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    stream.additionalHeaders({ ':status': 103 });
    const told = new Told();
    told.fields = pairsOf(fields);
    stream.on('data', (part: Buffer) => told.parts.push(part));
    stream.on('trailers', (trailers) => (told.trailer = String(trailers['x-trailer'])));
    stream.on('end', () => {
      if (plan.resetBy === 'client') return;
      assert.equal(told.text, textOf(plan.request));
      const { body, trailer } = plan.response;
      stream.respond(
        { ':status': plan.status, ...nodeHeaders(plan.response.fields) },
        { endStream: body.length === 0 && trailer === null, waitForTrailers: trailer !== null },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': trailer! }));
      if (body.length > 0 || trailer !== null) stream.end(body);
    });
  });
  return server;
}

async function connectUs(port: number, options: Partial<Http2Options>): Promise<Http2ClientConnection> {
  return new Promise((resolve, reject) => {
    const client = new Http2ClientConnection(
      {
        onConnected: () => resolve(client),
        onSettings: () => undefined,
        onReadEnd: () => undefined,
        onCapacity: () => undefined,
        onGoingAway: () => undefined,
        onFault: ({ detail }) => assert.fail(detail),
        onGone: (error) => reject(new Error(error?.detail ?? 'gone')),
      },
      testSettings(options),
      testContext(systemClock, random),
    );
    const transport = new NodeTransport(systemClock, logger);
    const address = { host: '127.0.0.1', port };
    client.attach(transport.connect({ address, security: null, timeoutMs: 5000 }, client));
  });
}

async function askByUs(client: Http2ClientConnection, plan: Plan): Promise<void> {
  const end = new OurEnd();
  end.stream = client.openStream(end)!;
  await new Promise<void>((resolve) => {
    end.onComplete = () => {
      assert.equal(end.status, String(plan.status));
      assert.equal(end.told.text, textOf(plan.response));
      assert.equal(plan.resetBy, null);
      resolve();
    };
    end.onCut = ({ code }) => {
      assert.equal(plan.resetBy, 'server');
      assert.equal(code, ErrorCode.enhanceYourCalm);
      resolve();
    };
    const head = [
      [':method', plan.method],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'a'],
      ['x-plan', String(plan.index)],
    ] as const;
    end.send(head, plan.request);
    if (plan.resetBy === 'client') {
      end.stream.reset(ErrorCode.cancel);
      resolve();
    }
  });
}

const windows: readonly (readonly [string, number])[] = [
  ['of the defaults', 65_535],
  ['of 1,000 bytes', 1000],
];

for (const [what, size] of windows) {
  describe(`with windows ${what}`, { timeout: 60_000 }, () => {
    it('what Node sends is what we are told, and the other way round', async (context) => {
      const all = plans(`client ${size}`);
      const port = await serveByUs(context, all, { initialStreamWindowSize: size });
      const session = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: size } });
      context.after(() => session.destroy());
      await inParallel(all, (plan) => askByNode(session, plan));
    });

    it('what we send is what Node is told, and the other way round', async (context) => {
      const all = plans(`server ${size}`);
      const server = serveByNode(all, { settings: { initialWindowSize: size } }).listen(0, '127.0.0.1');
      context.after(() => server.close());
      await once(server, 'listening');
      const client = await connectUs((server.address() as AddressInfo).port, {
        initialStreamWindowSize: size,
      });
      context.after(() => client.destroy());
      await inParallel(all, (plan) => askByUs(client, plan));
    });
  });
}
