// Large bodies against readers that stand still: the proxy holds a bounded part of them, the sender has to wait, and once
// it is read everything arrives as it was sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, type ServerResponse, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type Socket, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { serverName } from './bootstrap.ts';
import { BodyWriter, hashOfBody, readHash, standstill } from './bytes.ts';
import { type ListenerName, LoadedProxy, MemoryPeak, mebibyte, needsMemory } from './loaded-proxy.ts';

/** So much more than before a proxy may have while a body passes: buffers of both connections. */
const heldMiB = 12;
/** With TLS, whose buffers V8 collects when there are many of them and not when they are done with. */
const heldWithTlsMiB = 32;
/** What each kind of journey is made with once before anything is measured. */
const warmUpBytes = 8 * mebibyte;

type Framing = 'by length' | 'chunked';

/** The server of one exchange, told from outside when to go on. */
class Exchange {
  /** Settled when the request has come. */
  readonly begun = Promise.withResolvers<void>();
  /** The response's body, where the server sends a large one. */
  body: BodyWriter | null = null;
  /** The server reads the request's body from then on. */
  readonly mayRead = Promise.withResolvers<void>();
}

/** One exchange after the other, as requests name them. */
const exchanges = new Map<string, Exchange>();

/** `/upload/ID` answers with the hash of what it got, `/download/ID/BYTES/FRAMING` with that many bytes. */
async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, id, bytes, framing] = incoming.url!.split('/');
  const exchange = exchanges.get(id!)!;
  if (kind === 'upload') {
    exchange.begun.resolve();
    await exchange.mayRead.promise;
    response.end(await readHash(incoming));
    return;
  }
  if (framing === 'length') response.setHeader('content-length', bytes!);
  exchange.body = new BodyWriter(response, Number(bytes));
  exchange.begun.resolve();
}

let numberOfExchanges = 0;

class Client {
  private readonly proxy: LoadedProxy;
  private readonly listener: ListenerName;

  constructor(proxy: LoadedProxy, listener: ListenerName) {
    this.proxy = proxy;
    this.listener = listener;
  }

  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): ClientRequest {
    const options = {
      host: '127.0.0.1',
      port: this.proxy.port(this.listener),
      method,
      path,
      headers: { host: serverName, ...headers },
      agent: false,
    } as const;
    return this.listener === 'tls'
      ? secureRequest({ ...options, ca: this.proxy.certificate, servername: serverName })
      : request(options);
  }

  async connect(): Promise<Socket> {
    const options = { host: '127.0.0.1', port: this.proxy.port(this.listener), allowHalfOpen: true };
    if (this.listener === 'tcp') {
      const socket = connect(options);
      await once(socket, 'connect');
      return socket;
    }
    const socket = connectTls({ ...options, ca: this.proxy.certificate, servername: serverName });
    await once(socket, 'secureConnect');
    return socket;
  }
}

/** What became of a body: its hash at the far end, and what had been taken of it when its reader stood still. */
interface Journey {
  readonly hash: string;
  readonly taken: number;
}

async function upload(client: Client, total: number, framing: Framing): Promise<Journey> {
  const id = String(numberOfExchanges++);
  const exchange = new Exchange();
  exchanges.set(id, exchange);
  const sending = client.request(
    'POST',
    `/upload/${id}`,
    framing === 'by length' ? { 'content-length': String(total) } : { 'transfer-encoding': 'chunked' },
  );
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
  const body = new BodyWriter(sending, total);
  await exchange.begun.promise;
  const taken = await standstill('the client', () => body.taken);
  exchange.mayRead.resolve();
  await body.done;
  const [response] = await answered;
  assert.equal(response.statusCode, 200);
  response.setEncoding('latin1');
  let hash = '';
  for await (const text of response) hash += text as string;
  exchanges.delete(id);
  return { hash, taken };
}

async function download(client: Client, total: number, framing: Framing): Promise<Journey> {
  const id = String(numberOfExchanges++);
  const exchange = new Exchange();
  exchanges.set(id, exchange);
  const asking = client.request('GET', `/download/${id}/${total}/${framing === 'by length' ? 'length' : ''}`);
  const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
  asking.end();
  const [response] = await answered;
  assert.equal(response.statusCode, 200);
  await exchange.begun.promise;
  const taken = await standstill('the server', () => exchange.body!.taken);
  const hash = await readHash(response);
  exchanges.delete(id);
  return { hash, taken };
}

async function echo(client: Client, total: number): Promise<Journey> {
  const socket = await client.connect();
  socket.pause();
  const body = new BodyWriter(socket, total);
  const taken = await standstill('the client', () => body.taken);
  const [hash] = await Promise.all([readHash(socket), body.done]);
  socket.destroy();
  return { hash, taken };
}

interface Case {
  readonly name: string;
  readonly limitMiB: number;
  readonly send: (proxy: LoadedProxy, bytes: number) => Promise<Journey>;
}

const cases: readonly Case[] = [
  ...(['by length', 'chunked'] as const).flatMap((framing): Case[] => [
    {
      name: `an upload ${framing}`,
      limitMiB: heldMiB,
      send: (proxy, bytes) => upload(new Client(proxy, 'plain'), bytes, framing),
    },
    {
      name: `a download ${framing}`,
      limitMiB: heldMiB,
      send: (proxy, bytes) => download(new Client(proxy, 'plain'), bytes, framing),
    },
    {
      name: `an upload ${framing}, TLS on both sides`,
      limitMiB: heldWithTlsMiB,
      send: (proxy, bytes) => upload(new Client(proxy, 'tls'), bytes, framing),
    },
    {
      name: `a download ${framing}, TLS on both sides`,
      limitMiB: heldWithTlsMiB,
      send: (proxy, bytes) => download(new Client(proxy, 'tls'), bytes, framing),
    },
  ]),
  {
    name: 'bytes there and back through a TCP proxy',
    limitMiB: heldMiB,
    send: (proxy, bytes) => echo(new Client(proxy, 'tcp'), bytes),
  },
  {
    name: 'bytes there and back through a TCP proxy that terminates TLS',
    limitMiB: heldWithTlsMiB,
    send: (proxy, bytes) => echo(new Client(proxy, 'tcp-tls'), bytes),
  },
];

/** Tests that send bodies of this size through a proxy each way. */
export function testBodies(bytes: number): void {
  describe(
    `a body of ${bytes / mebibyte} MiB against a reader that stands still`,
    { skip: needsMemory },
    () => {
      const expected = hashOfBody(bytes);
      let proxy: LoadedProxy;

      before(async () => {
        proxy = await LoadedProxy.start((incoming, response) => void serve(incoming, response));
        await Promise.all(cases.map(({ send }) => send(proxy, warmUpBytes)));
      });
      after(() => proxy.close());

      for (const { name, limitMiB, send } of cases) {
        test(name, async (t) => {
          const memory = new MemoryPeak(proxy);
          const { hash, taken } = await send(proxy, bytes);
          const grownMiB = memory.stop() / mebibyte;
          t.diagnostic(
            `${toMiB(taken)} sent before it was read, the proxy ${grownMiB.toFixed(1)} MiB larger`,
          );
          assert.ok(taken < bytes, 'the sender has to wait');
          assert.equal(hash, expected, 'everything arrives as it was sent');
          assert.ok(grownMiB < limitMiB, `${grownMiB.toFixed(1)} MiB more than before`);
        });
      }
    },
  );
}

function toMiB(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
