// A hundred bodies at once on one connection of HTTP/2, held up for a while by whoever reads them: the proxy holds a bounded
// part of each, and everything arrives as it was sent.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { createLogger, systemClock, systemRandom } from '@heddle/base';
import { Http2ClientConnection } from '@heddle/proxy/http2/client';
import type { Http2Stream } from '@heddle/proxy/http2/stream';
import type { Http2StreamHandler } from '@heddle/proxy/http2/stream-handler';
import { fieldsOf, testContext, testSettings } from '@heddle/proxy/http2/test-servers';
import { openTransport } from '@heddle/proxy/open-transport';
import { BodyWriter, standstill } from './bytes.ts';
import { LoadedProxy, MemoryPeak, mebibyte, needsMemory } from './loaded-proxy.ts';

const streams = 100;
/** Windows of the client: what is on its way to it at most, and so what it is told while it reads nothing. */
const streamWindow = 65_535;
/**
 * So much more than before a proxy may have: the 24 MiB of the window that it gives a connection, 256 KiB that were read from
 * each of 100 servers at a time, and as much again that has not been collected yet. The larger runs
 * pass 64 times as much.
 */
const heldMiB = 98;
/** No multiple of anything that a buffer is long. */
const patternBytes = 61_441;

/** A body of its own for each stream, so that what goes astray is noticed. */
const patterns = Array.from({ length: streams }, () => randomBytes(patternBytes));

/** Compares a body with what it ought to be, as it comes. */
class Comparison {
  bytes = 0;
  private readonly pattern: Buffer;

  constructor(pattern: Buffer) {
    this.pattern = pattern;
  }

  take(buffer: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const from = this.bytes % patternBytes;
      const length = Math.min(end - at, patternBytes - from);
      const order = this.pattern.compare(buffer, at, at + length, from, from + length);
      assert.equal(order, 0, `the bytes behind ${this.bytes}`);
      this.bytes += length;
      at += length;
    }
  }
}

/** A body that a stream sends as fast as it is taken. */
class Upload {
  taken = 0;
  private readonly pattern: Buffer;
  private readonly total: number;

  constructor(pattern: Buffer, total: number) {
    this.pattern = pattern;
    this.total = total;
  }

  write(stream: Http2Stream): void {
    while (this.taken < this.total) {
      const from = this.taken % patternBytes;
      const length = Math.min(patternBytes - from, this.total - this.taken);
      this.taken += length;
      const isLast = this.taken === this.total;
      if (!stream.sendData(this.pattern, from, from + length, isLast)) return;
    }
  }
}

/** The client's end of one exchange. */
class Exchange implements Http2StreamHandler {
  readonly done = Promise.withResolvers<void>();
  readonly received: Comparison;
  readonly upload: Upload | null;
  stream!: Http2Stream;

  constructor(pattern: Buffer, upload: Upload | null) {
    this.received = new Comparison(pattern);
    this.upload = upload;
  }

  onHeaders(): void {
    // What counts comes behind it.
  }

  onInformational(): void {
    // As above.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.upload === null) this.received.take(buffer, start, end);
  }

  onTrailers(): void {
    // As above.
  }

  onEnd(): void {
    this.done.resolve();
  }

  onDrain(): void {
    this.upload?.write(this.stream);
  }

  onClosed(): void {
    // The response's end has been told.
  }

  onReset({ detail }: { readonly detail: string }): void {
    this.done.reject(new Error(detail));
  }
}

/** What the server has got of each upload, and sent of each download. */
const uploads = new Map<number, Comparison>();
const downloads = new Map<number, BodyWriter>();
let mayRead = Promise.withResolvers<void>();

/** `/upload/ID` reads once it may, `/download/ID/BYTES` answers with that many bytes. */
async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, id, bytes] = incoming.url!.split('/');
  const index = Number(id);
  if (kind === 'download') {
    response.setHeader('content-length', bytes!);
    downloads.set(index, new BodyWriter(response, Number(bytes), patterns[index]));
    return;
  }
  const comparison = new Comparison(patterns[index]!);
  uploads.set(index, comparison);
  await mayRead.promise;
  for await (const chunk of incoming as AsyncIterable<Buffer>) comparison.take(chunk, 0, chunk.length);
  response.end('ok');
}

async function connect(port: number): Promise<Http2ClientConnection> {
  const logger = createLogger({ clock: systemClock, sink: (line) => assert.fail(line) });
  const settings = testSettings({
    initialStreamWindowSize: streamWindow,
    initialConnectionWindowSize: streams * streamWindow,
  });
  return new Promise((resolve, reject) => {
    const client = new Http2ClientConnection(
      {
        onConnected: () => resolve(client),
        onSettings: () => undefined,
        onReadEnd: () => undefined,
        onCapacity: () => undefined,
        onGoingAway: () => undefined,
        onFault: ({ detail }) => reject(new Error(detail)),
        onGone: (error) => reject(new Error(error?.detail ?? 'gone')),
      },
      settings,
      testContext(systemClock, systemRandom),
    );
    const address = { host: '127.0.0.1', port };
    const transport = openTransport(systemClock, logger);
    client.attach(transport.connect({ address, security: null, timeoutMs: 5000 }, client));
  });
}

function begin(client: Http2ClientConnection, method: string, path: string, exchange: Exchange): void {
  exchange.stream = client.openStream(exchange)!;
  exchange.stream.sendHeaders(
    fieldsOf([':method', method], [':scheme', 'http'], [':path', path], [':authority', 'web.example']),
    method === 'GET',
  );
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const one of numbers) total += one;
  return total;
}

/** Downloads on all streams; nothing is read before the servers have to wait. Gives what they had sent until then. */
async function download(client: Http2ClientConnection, bytes: number): Promise<number> {
  downloads.clear();
  const exchanges = patterns.map((pattern) => new Exchange(pattern, null));
  for (const [index, exchange] of exchanges.entries()) {
    begin(client, 'GET', `/download/${index}/${bytes}`, exchange);
    exchange.stream.pauseReading();
  }
  const taken = await standstill('the servers', () => sum([...downloads.values()].map((body) => body.taken)));
  for (const { stream } of exchanges) stream.resumeReading();
  await Promise.all(exchanges.map(({ done }) => done.promise));
  for (const { received } of exchanges) assert.equal(received.bytes, bytes);
  return taken;
}

/** Uploads on all streams; the servers read nothing before the client has to wait. Gives what it had sent until then. */
async function upload(client: Http2ClientConnection, bytes: number): Promise<number> {
  uploads.clear();
  mayRead = Promise.withResolvers<void>();
  const exchanges = patterns.map((pattern) => new Exchange(pattern, new Upload(pattern, bytes)));
  for (const [index, exchange] of exchanges.entries()) {
    begin(client, 'POST', `/upload/${index}`, exchange);
    exchange.onDrain();
  }
  const taken = await standstill('the client', () => sum(exchanges.map((one) => one.upload!.taken)));
  mayRead.resolve();
  await Promise.all(exchanges.map(({ done }) => done.promise));
  for (const { bytes: arrived } of uploads.values()) assert.equal(arrived, bytes);
  assert.equal(uploads.size, streams);
  return taken;
}

/** Tests that send a body of this size on each stream. */
export function testStreams(bytes: number): void {
  describe(
    `a hundred streams of ${bytes / mebibyte} MiB against readers that stand still`,
    { skip: needsMemory },
    () => {
      let proxy: LoadedProxy;
      let client: Http2ClientConnection;

      before(async () => {
        proxy = await LoadedProxy.start((incoming, response) => void serve(incoming, response));
        client = await connect(proxy.port('plain'));
        await download(client, mebibyte);
        await upload(client, mebibyte);
      });
      after(async () => {
        client.destroy();
        await proxy.close();
      });

      for (const [name, send] of [
        ['downloads', download],
        ['uploads', upload],
      ] as const) {
        test(name, async (t) => {
          const memory = new MemoryPeak(proxy);
          const taken = await send(client, bytes);
          const grownMiB = memory.stop() / mebibyte;
          t.diagnostic(
            `${(taken / mebibyte).toFixed(1)} MiB sent before it was read, the proxy ${grownMiB.toFixed(1)} MiB larger`,
          );
          assert.ok(taken < streams * bytes, 'the senders have to wait');
          assert.ok(grownMiB < heldMiB, `${grownMiB.toFixed(1)} MiB more than before`);
        });
      }
    },
  );
}
