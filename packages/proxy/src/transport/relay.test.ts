// Bytes relayed from one connection to the next, which is when a read buffer outlives its read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { engines } from './engines-under-test.ts';
import type { Connection, ConnectionHandler } from './transport.ts';

/** Sends what it is told to `target`, and holds its source back while that one has no room. */
class Relay implements ConnectionHandler {
  private readonly source: Connection;
  private target: Connection | null = null;
  /** The target has had no room once. */
  wasHeld = false;

  constructor(source: Connection) {
    this.source = source;
    source.pauseReading();
  }

  to(target: Connection): void {
    this.target = target;
    this.source.resumeReading();
  }

  onConnect(): void {
    throw new Error('accepted connections are not told');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    // In two parts, as a head and a body would be.
    const middle = start + ((end - start) >> 1);
    this.target!.write(buffer, start, middle);
    if (this.target!.write(buffer, middle, end)) return;
    this.wasHeld = true;
    this.source.pauseReading();
  }

  onEnd(): void {
    this.target!.end();
  }

  onDrain(): void {
    // Nothing is written to the source.
  }

  onClose(): void {
    // The test looks at the other end.
  }
}

for (const engine of engines) {
  const { name, skip } = engine;
  test(`relays megabytes of several connections at once to slow readers: ${name}`, { skip }, async () => {
    const transport = engine.open();
    const address = { host: '127.0.0.1', port: 0 };
    const readers: { readonly connection: Connection; readonly handler: RecordingHandler }[] = [];
    const sink = await transport.listen({ address, security: null }, (connection) => {
      const handler = new RecordingHandler();
      // It stops after every read and goes on in the next turn of the loop.
      handler.onBytes = () => {
        connection.pauseReading();
        setImmediate(() => connection.resumeReading());
      };
      connection.pauseReading();
      readers.push({ connection, handler });
      return handler;
    });
    const relays: Relay[] = [];
    const front = await transport.listen({ address, security: null }, (source) => {
      const relay = new Relay(source);
      relays.push(relay);
      const toSink = new RecordingHandler();
      toSink.onRoom = () => source.resumeReading();
      const target = transport.connect({ address: sink.address, security: null, timeoutMs: 5000 }, toSink);
      toSink.onConnect = () => relay.to(target);
      return relay;
    });
    const sent = [1, 2, 3, 4].map((seed) => {
      const bytes = Buffer.allocUnsafe(8_000_000);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
      const handler = new RecordingHandler();
      const options = { address: front.address, security: null, timeoutMs: 5000 };
      const connection = transport.connect(options, handler);
      handler.onConnect = () => {
        connection.write(bytes, 0, bytes.length);
        connection.end();
      };
      return { bytes, connection };
    });
    await eventually(
      'the kernel takes no more',
      () => relays.filter((one) => one.wasHeld).length === 4,
      5000,
    );
    for (const { connection } of readers) connection.resumeReading();
    await eventually(
      'everything has arrived',
      () => readers.filter((one) => one.handler.ends === 1).length === 4,
    );
    for (const { bytes } of sent) {
      assert.ok(
        readers.some((reader) => reader.handler.received.equals(bytes)),
        'each stream arrives as it was sent',
      );
    }
    for (const { connection } of [...readers, ...sent]) connection.destroy();
    await Promise.all([sink.close(), front.close()]);
  });
}
