// What the contract doesn't ask of every transport, but has to hold over sockets of the system: size, number, and bad moments.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mock, test } from 'node:test';
import { RecordingHandler, eventually, freePort } from '@heddle/testkit';
import { engines } from './engines-under-test.ts';
import type { SocketTransport } from './socket-transport.ts';
import type { Connection, ConnectionHandler, Listener, TransportAddress } from './transport.ts';

const anyPort: TransportAddress = { host: '127.0.0.1', port: 0 };
const ignored: ConnectionHandler = {
  onConnect: () => undefined,
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

/** Bytes by whose value their place in the stream can be told, within a period that is no power of two. */
const period = 251 * 1021;
const pattern = Buffer.from(
  Uint8Array.from({ length: 2 * period }, (_, at) => ((at % period) * 31) ^ (at % 251)),
);

/** Sends `size` bytes and checks those that come. */
class Stream implements ConnectionHandler {
  connection: Connection | null = null;
  received = 0;
  isWhole = true;
  hasEnded = false;
  closes = 0;
  waits = 0;
  onBytes: () => void = () => undefined;
  private readonly size: number;
  private sent = 0;

  constructor(size: number) {
    this.size = size;
  }

  begin(connection: Connection): this {
    this.connection = connection;
    return this;
  }

  send(): void {
    while (this.sent < this.size) {
      const at = this.sent % period;
      const length = Math.min(100_000, this.size - this.sent);
      this.sent += length;
      if (!this.connection!.write(pattern, at, at + length)) {
        this.waits++;
        return;
      }
    }
    this.connection!.end();
  }

  onConnect(): void {
    this.send();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const place = this.received % period;
      const length = Math.min(end - at, period);
      this.isWhole &&= buffer.compare(pattern, place, place + length, at, at + length) === 0;
      this.received += length;
      at += length;
    }
    this.onBytes();
  }

  onEnd(): void {
    this.hasEnded = true;
  }

  onDrain(): void {
    this.send();
  }

  onClose(): void {
    this.closes++;
  }
}

async function openStreams(
  transport: SocketTransport,
  size: number,
): Promise<{ readonly near: Stream; readonly far: Stream; readonly listener: Listener }> {
  const near = new Stream(size);
  let far: Stream | null = null;
  const listener = await transport.listen({ address: anyPort, security: null }, (connection) => {
    far = new Stream(size).begin(connection);
    setImmediate(() => far!.send());
    return far;
  });
  near.begin(transport.connect({ address: listener.address, security: null, timeoutMs: 5000 }, near));
  await eventually('it is accepted', () => far !== null);
  return { near, far: far!, listener };
}

/** Sends back what comes. */
function echo(connection: Connection): ConnectionHandler {
  return { ...ignored, onData: (buffer, start, end) => void connection.write(buffer, start, end) };
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

for (const engine of engines) {
  const { name, skip } = engine;

  for (const size of [1 << 20, 64 << 20]) {
    test(`carries ${size >> 20} MiB each way at once: ${name}`, { skip }, async () => {
      const { near, far, listener } = await openStreams(engine.open(), size);
      await eventually('both ends are over', () => near.closes === 1 && far.closes === 1, 60_000);
      assert.deepEqual([near.received, far.received], [size, size]);
      assert.ok(near.isWhole && far.isWhole, 'each byte is where it was');
      await listener.close();
    });
  }

  test(`takes up where it was when readers that rested go on: ${name}`, { skip }, async () => {
    const size = 12_000_000;
    const { near, far, listener } = await openStreams(engine.open(), size);
    near.connection!.pauseReading();
    far.connection!.pauseReading();
    await eventually('neither may write', () => near.waits > 0 && far.waits > 0);
    for (const stream of [near, far]) {
      // It rests after each read.
      stream.onBytes = () => {
        stream.connection!.pauseReading();
        setImmediate(() => stream.connection!.resumeReading());
      };
      stream.connection!.resumeReading();
    }
    await eventually('both ends are over', () => near.closes === 1 && far.closes === 1, 30_000);
    assert.deepEqual([near.received, far.received, near.isWhole, far.isWhole], [size, size, true, true]);
    await listener.close();
  });

  test(`a reset at any moment is told, to each side once: ${name}`, { skip }, async () => {
    const transport = engine.open();
    for (const after of [1, 1000, 70_000, 1_000_000]) {
      for (const who of ['near', 'far'] as const) {
        // eslint-disable-next-line no-await-in-loop
        const streams = await openStreams(transport, 4_000_000);
        const resetting = streams[who];
        const other = who === 'near' ? streams.far : streams.near;
        resetting.onBytes = () => {
          if (resetting.received >= after) resetting.connection!.reset();
        };
        // eslint-disable-next-line no-await-in-loop
        await eventually('both know', () => resetting.closes === 1 && other.closes === 1);
        const { received } = resetting;
        // eslint-disable-next-line no-await-in-loop
        await streams.listener.close();
        assert.equal(resetting.received, received, 'nothing comes after the reset');
      }
    }
  });

  test(`a reset is told as such to who waits for bytes: ${name}`, { skip }, async () => {
    const transport = engine.open();
    let accepted: Connection | null = null;
    const listener = await transport.listen({ address: anyPort, security: null }, (connection) => {
      accepted = connection;
      return ignored;
    });
    const handler = new RecordingHandler();
    transport.connect({ address: listener.address, security: null, timeoutMs: 5000 }, handler);
    await eventually('it is accepted', () => accepted !== null && handler.connects === 1);
    accepted!.reset();
    await eventually('it is told', () => handler.closes === 1);
    assert.equal(handler.error?.kind, 'reset');
    await listener.close();
  });

  test(
    `a descriptor that is used again tells its new owner nothing of the old one's: ${name}`,
    { skip },
    async () => {
      const transport = engine.open();
      const listener = await transport.listen({ address: anyPort, security: null }, echo);
      const nobody: TransportAddress = { host: '127.0.0.1', port: await freePort() };
      const refused: RecordingHandler[] = [];
      const answered: Connection[] = [];
      const clients = Array.from({ length: 40 }, () => {
        const handler = new RecordingHandler();
        const options = { address: listener.address, security: null, timeoutMs: 5000 };
        const connection = transport.connect(options, handler);
        return { handler, connection };
      });
      await eventually('all are connected', () => clients.every(({ handler }) => handler.connects === 1));
      for (const { handler, connection } of clients) {
        connection.writeLatin1('to be answered');
        handler.onBytes = () => {
          answered.push(connection);
          // The others are gone with their answers on the way, some of them in this very turn.
          for (const other of clients) other.connection.destroy();
          for (let count = 0; count < clients.length; count++) {
            const next = new RecordingHandler();
            refused.push(next);
            transport.connect({ address: nobody, security: null, timeoutMs: 5000 }, next);
          }
        };
      }
      await eventually('all are over', () =>
        [...clients.map(({ handler }) => handler), ...refused].every(({ closes }) => closes === 1),
      );
      assert.equal(answered.length, 1);
      assert.equal(refused.length, clients.length);
      for (const { connects, error } of refused)
        assert.deepEqual([connects, error?.kind], [0, 'connect-failed']);
      await listener.close();
    },
  );

  const skipCount = process.platform === 'linux' ? skip : 'only Linux shows its descriptors';
  test(`serves 1,000 connections at once and leaves none behind: ${name}`, { skip: skipCount }, async () => {
    const transport = engine.open();
    const before = openDescriptors();
    const listener = await transport.listen({ address: anyPort, security: null }, (connection) => ({
      ...echo(connection),
      onEnd: () => connection.end(),
    }));
    const clients = Array.from({ length: 1000 }, (_, index) => {
      const handler = new RecordingHandler();
      const connection = transport.connect(
        { address: listener.address, security: null, timeoutMs: 20_000 },
        handler,
      );
      handler.onConnect = () => connection.writeLatin1(`I am ${index}`);
      return { handler, connection };
    });
    await eventually(
      'all have been answered',
      () => clients.every(({ handler }) => handler.bytes > 5),
      20_000,
    );
    for (const [index, { handler, connection }] of clients.entries()) {
      assert.equal(handler.received.toString(), `I am ${index}`);
      connection.end();
    }
    await eventually('all are over', () => clients.every(({ handler }) => handler.closes === 1), 20_000);
    await listener.close();
    await eventually('no descriptor is left', () => openDescriptors() <= before, 20_000);
  });

  test(`a bug of who is told of a connection costs that connection: ${name}`, { skip }, async () => {
    const transport = engine.open();
    let accepted = 0;
    const listener = await transport.listen({ address: anyPort, security: null }, () => {
      accepted++;
      if (accepted === 1) throw new Error('a bug');
      return ignored;
    });
    const options = { address: listener.address, security: null, timeoutMs: 5000 };
    const dropped = new RecordingHandler();
    transport.connect(options, dropped);
    await eventually('the accepted one is dropped', () => dropped.closes + dropped.ends > 0);
    const failing = new RecordingHandler();
    const onConnect = mock.fn(() => {
      throw new Error('another bug');
    });
    failing.onConnect = onConnect;
    transport.connect(options, failing);
    await eventually('the failing one is dropped', () => failing.closes === 1);
    assert.equal(onConnect.mock.callCount(), 1);
    await listener.close();
  });

  test(`a bug of one owner costs its connection, and no other: ${name}`, { skip }, async () => {
    const transport = engine.open();
    const listener = await transport.listen({ address: anyPort, security: null }, (connection) => ({
      ...ignored,
      onData: (buffer, start, end) => {
        if (end - start === 3) throw new Error('a bug');
        connection.write(buffer, start, end);
      },
    }));
    const open = (text: string): RecordingHandler => {
      const handler = new RecordingHandler();
      const options = { address: listener.address, security: null, timeoutMs: 5000 };
      const connection = transport.connect(options, handler);
      handler.onConnect = () => connection.writeLatin1(text);
      handler.onBytes = () => connection.destroy();
      return handler;
    };
    const handlers = ['good', 'bad', 'good'].map(open);
    await eventually('all are over', () => handlers.every(({ closes, ends }) => closes + ends > 0));
    assert.deepEqual(
      handlers.map(({ bytes }) => bytes),
      [4, 0, 4],
    );
    await listener.close();
  });
}
