import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/base';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  LinkSecurity,
  Listener,
  ListenOptions,
  PeerMatcher,
  Transport,
  TransportAddress,
  TransportError,
} from '@heddle/proxy';

/** Two transports that can reach each other; may be one and the same. */
export interface TransportHarness {
  readonly client: Transport;
  readonly server: Transport;
  /** Where the server may listen: an address of its own with port 0. */
  readonly listenAddress: TransportAddress;
  /** An address at which nothing listens. */
  readonly refusingAddress: TransportAddress;
  /** An address that answers nothing at all, or null where there is none. */
  readonly silentAddress: TransportAddress | null;
  /** Link security of both sides, with the peers each accepts; null where the transport has none to offer. */
  readonly security: {
    readonly clientIdentity: string;
    readonly serverIdentity: string;
    client(acceptPeer: PeerMatcher | null): LinkSecurity;
    server(acceptPeer: PeerMatcher | null): LinkSecurity;
  } | null;
  /** Lets time pass until `condition` holds; fails where it never does. */
  until(condition: () => boolean): Promise<void>;
  /** Lets enough time pass for anything that is on its way to arrive. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Records what a connection tells its owner, and fails on calls that the contract forbids. */
export class RecordingHandler implements ConnectionHandler {
  connects = 0;
  ends = 0;
  drains = 0;
  closes = 0;
  error: TransportError | null = null;
  bytes = 0;
  private readonly chunks: Buffer[] = [];
  onBytes: (chunk: Buffer) => void = () => undefined;
  onPeerEnd: () => void = () => undefined;
  onRoom: () => void = () => undefined;

  onConnect(): void {
    this.assertOpen('onConnect');
    assert.equal(this.bytes, 0, 'onConnect comes before the first bytes');
    this.connects++;
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.assertOpen('onData');
    assert.equal(this.ends, 0, 'no bytes after onEnd');
    assert.ok(start < end && end <= buffer.length, 'a range of at least one byte inside the buffer');
    const chunk = Buffer.from(buffer.subarray(start, end));
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.onBytes(chunk);
  }

  onEnd(): void {
    this.assertOpen('onEnd');
    this.ends++;
    assert.equal(this.ends, 1, 'onEnd comes once');
    this.onPeerEnd();
  }

  onDrain(): void {
    this.assertOpen('onDrain');
    this.drains++;
    this.onRoom();
  }

  onClose(error: TransportError | null): void {
    this.assertOpen('onClose');
    this.closes++;
    this.error = error;
  }

  /** Everything received so far. */
  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  private assertOpen(call: string): void {
    assert.equal(this.closes, 0, `${call} after onClose`);
  }
}

/** An accepted connection and its recording owner. */
interface Accepted {
  readonly connection: Connection;
  readonly handler: RecordingHandler;
}

interface Pair {
  readonly client: Connection;
  readonly clientHandler: RecordingHandler;
  readonly server: Connection;
  readonly serverHandler: RecordingHandler;
  readonly listener: Listener;
}

async function openPair(harness: TransportHarness): Promise<Pair> {
  const accepted: Accepted[] = [];
  const listener = await listenRecording(harness, null, accepted);
  const clientHandler = new RecordingHandler();
  const client = connectTo(harness, listener.address, null, clientHandler);
  await harness.until(() => accepted.length === 1 && clientHandler.connects === 1);
  return {
    client,
    clientHandler,
    server: accepted[0]!.connection,
    serverHandler: accepted[0]!.handler,
    listener,
  };
}

function listenRecording(
  harness: TransportHarness,
  security: LinkSecurity | null,
  accepted: Accepted[],
): Promise<Listener> {
  return harness.server.listen({ address: harness.listenAddress, security }, (connection) => {
    const handler = new RecordingHandler();
    accepted.push({ connection, handler });
    return handler;
  });
}

function connectTo(
  harness: TransportHarness,
  address: TransportAddress,
  security: LinkSecurity | null,
  handler: ConnectionHandler,
  timeoutMs = 5000,
): Connection {
  return harness.client.connect({ address, security, timeoutMs }, handler);
}

/** Bytes in which a lost, doubled or moved piece shows. */
function patterned(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7) & 0xff;
  return bytes;
}

function writeAll(connection: Connection, bytes: Buffer): boolean {
  return connection.write(bytes, 0, bytes.length);
}

/** Sends `bytes` in pieces, holding back when told to, then ends. */
function stream(connection: Connection, handler: RecordingHandler, bytes: Buffer, piece: number): void {
  let position = 0;
  const more = (): void => {
    while (position < bytes.length) {
      const end = Math.min(position + piece, bytes.length);
      const roomy = connection.write(bytes, position, end);
      position = end;
      if (!roomy) return;
    }
    connection.end();
  };
  handler.onRoom = more;
  more();
}

/** A transport that remembers what it was asked for, so that nothing outlives a test. */
class TrackedTransport implements Transport {
  private readonly inner: Transport;
  private readonly connections: Connection[] = [];
  private readonly listeners: Listener[] = [];

  constructor(inner: Transport) {
    this.inner = inner;
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const listener = await this.inner.listen(options, (connection) => {
      this.connections.push(connection);
      return accept(connection);
    });
    this.listeners.push(listener);
    return listener;
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const connection = this.inner.connect(options, handler);
    this.connections.push(connection);
    return connection;
  }

  async closeAll(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }
}

/** Runs the contract of `Transport` against one implementation. */
export function transportContract(name: string, open: () => Promise<TransportHarness>): void {
  const check = (title: string, body: (harness: TransportHarness) => Promise<void>): void => {
    test(title, async () => {
      const harness = await open();
      const client = new TrackedTransport(harness.client);
      const server = new TrackedTransport(harness.server);
      try {
        await body({ ...harness, client, server });
      } finally {
        await client.closeAll();
        await server.closeAll();
        await harness.close();
      }
    });
  };

  describe(`transport contract: ${name}`, () => {
    check('connects and carries bytes both ways in order', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.client, Buffer.from('ping'));
      pair.client.writeLatin1(' and \u0000\u00ff');
      await harness.until(() => pair.serverHandler.bytes === 11);
      assert.equal(pair.serverHandler.received.toString('latin1'), 'ping and \u0000\u00ff');
      pair.server.writeLatin1('pong');
      await harness.until(() => pair.clientHandler.bytes === 4);
      assert.equal(pair.clientHandler.received.toString(), 'pong');
      assert.equal(pair.serverHandler.connects, 0, 'an accepted connection is not told that it is connected');
    });

    check('tells both ends their addresses', async (harness) => {
      const { client, server, listener } = await openPair(harness);
      assert.notEqual(listener.address.port, 0, 'port 0 asks for any free port');
      assert.equal(client.remotePort, listener.address.port);
      assert.equal(server.localPort, listener.address.port);
      assert.equal(server.remotePort, client.localPort);
      assert.equal(server.remoteAddress, client.localAddress);
      assert.equal(client.peerIdentity, '');
      assert.equal(server.peerIdentity, '');
    });

    check('tells the outcome of connecting later, never during the call', async (harness) => {
      const listener = await listenRecording(harness, null, []);
      const handler = new RecordingHandler();
      connectTo(harness, listener.address, null, handler);
      assert.equal(handler.connects, 0);
      const refused = new RecordingHandler();
      connectTo(harness, harness.refusingAddress, null, refused);
      assert.equal(refused.closes, 0);
      await harness.until(() => handler.connects === 1 && refused.closes === 1);
    });

    check('lets the writer reuse its buffer as soon as write returns', async (harness) => {
      const pair = await openPair(harness);
      const buffer = Buffer.alloc(1000);
      const expected: Buffer[] = [];
      for (let round = 0; round < 200; round++) {
        buffer.fill(round);
        expected.push(Buffer.from(buffer));
        writeAll(pair.client, buffer);
      }
      buffer.fill(0xee);
      await harness.until(() => pair.serverHandler.bytes === 200_000);
      assert.ok(pair.serverHandler.received.equals(Buffer.concat(expected)));
    });

    check('sends a range of a buffer, not the whole', async (harness) => {
      const pair = await openPair(harness);
      const bytes = patterned(100);
      pair.client.write(bytes, 10, 20);
      pair.client.write(bytes, 20, 20);
      pair.client.write(bytes, 50, 53);
      await harness.until(() => pair.serverHandler.bytes === 13);
      await harness.settle();
      assert.ok(
        pair.serverHandler.received.equals(Buffer.concat([bytes.subarray(10, 20), bytes.subarray(50, 53)])),
      );
    });

    check('carries megabytes both ways at once, the writer holding back when told to', async (harness) => {
      const pair = await openPair(harness);
      const up = patterned(3_000_000);
      const down = Buffer.from(patterned(2_000_000).toReversed());
      stream(pair.client, pair.clientHandler, up, 50_000);
      stream(pair.server, pair.serverHandler, down, 20_000);
      await harness.until(() => pair.clientHandler.closes === 1 && pair.serverHandler.closes === 1);
      assert.ok(pair.serverHandler.received.equals(up));
      assert.ok(pair.clientHandler.received.equals(down));
      assert.deepEqual([pair.clientHandler.error, pair.serverHandler.error], [null, null]);
    });

    check(
      'makes write return false while the reader pauses, and says when there is room',
      async (harness) => {
        const pair = await openPair(harness);
        pair.server.pauseReading();
        const piece = patterned(65_536);
        let written = 0;
        let roomy = true;
        for (let tries = 0; tries < 2000 && roomy; tries++) {
          roomy = writeAll(pair.client, piece);
          written += piece.length;
          if (tries % 16 === 15) await harness.settle();
        }
        assert.equal(roomy, false, 'a reader that reads nothing holds the writer up');
        await harness.settle();
        const before = pair.clientHandler.drains;
        pair.server.resumeReading();
        await harness.until(() => pair.serverHandler.bytes === written);
        await harness.until(() => pair.clientHandler.drains > before || before > 0);
        assert.ok(pair.clientHandler.drains > 0);
      },
    );

    check('calls onData no more once paused, even from within onData', async (harness) => {
      const pair = await openPair(harness);
      pair.serverHandler.onBytes = () => pair.server.pauseReading();
      writeAll(pair.client, patterned(500_000));
      await harness.until(() => pair.serverHandler.bytes > 0);
      const first = pair.serverHandler.bytes;
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, first);
      pair.serverHandler.onBytes = () => undefined;
      pair.server.resumeReading();
      await harness.until(() => pair.serverHandler.bytes === 500_000);
      assert.ok(pair.serverHandler.received.equals(patterned(500_000)));
    });

    check('half-closes: the other direction goes on', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.client, Buffer.from('question'));
      pair.client.end();
      await harness.until(() => pair.serverHandler.ends === 1);
      assert.equal(pair.serverHandler.received.toString(), 'question');
      await harness.settle();
      assert.equal(pair.serverHandler.closes, 0);
      writeAll(pair.server, Buffer.from('answer'));
      await harness.until(() => pair.clientHandler.bytes === 6);
      assert.equal(pair.clientHandler.closes, 0);
      pair.server.end();
      await harness.until(() => pair.clientHandler.closes === 1 && pair.serverHandler.closes === 1);
      assert.deepEqual([pair.clientHandler.error, pair.serverHandler.error], [null, null]);
      assert.equal(pair.clientHandler.ends, 1);
    });

    check('sends everything before the end', async (harness) => {
      const pair = await openPair(harness);
      const bytes = patterned(700_000);
      writeAll(pair.client, bytes);
      pair.client.end();
      await harness.until(() => pair.serverHandler.ends === 1);
      assert.ok(pair.serverHandler.received.equals(bytes));
    });

    check('destroy is followed by onClose, later and once, and by nothing else', async (harness) => {
      const pair = await openPair(harness);
      writeAll(pair.server, Buffer.from('unread'));
      pair.client.destroy();
      assert.equal(pair.clientHandler.closes, 0, 'not during the call');
      pair.client.destroy();
      await harness.until(() => pair.clientHandler.closes === 1);
      await harness.until(() => pair.serverHandler.ends + pair.serverHandler.closes > 0);
      await harness.settle();
      assert.equal(pair.clientHandler.closes, 1);
    });

    check('destroy from within onData is followed by onClose only', async (harness) => {
      const pair = await openPair(harness);
      pair.serverHandler.onBytes = () => pair.server.destroy();
      writeAll(pair.client, patterned(300_000));
      await harness.until(() => pair.serverHandler.closes === 1);
      const { bytes } = pair.serverHandler;
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, bytes);
    });

    check('a writer learns that its reader is gone', async (harness) => {
      const pair = await openPair(harness);
      pair.server.destroy();
      await harness.until(() => pair.serverHandler.closes === 1);
      for (let round = 0; round < 20 && pair.clientHandler.closes === 0; round++) {
        writeAll(pair.client, patterned(1000));
        await harness.settle();
      }
      assert.equal(pair.clientHandler.closes, 1);
      assert.notEqual(pair.clientHandler.error, null);
    });

    check(
      'a connection given up before it is up is closed, and its handler never connected',
      async (harness) => {
        const listener = await listenRecording(harness, null, []);
        const handler = new RecordingHandler();
        const connection = connectTo(harness, listener.address, null, handler);
        connection.destroy();
        await harness.until(() => handler.closes === 1);
        await harness.settle();
        assert.equal(handler.connects, 0);
      },
    );

    check('calls on a connection that is over do nothing', async (harness) => {
      const pair = await openPair(harness);
      pair.client.destroy();
      await harness.until(() => pair.clientHandler.closes === 1);
      writeAll(pair.client, Buffer.from('late'));
      pair.client.writeLatin1('late');
      pair.client.pauseReading();
      pair.client.resumeReading();
      pair.client.end();
      pair.client.destroy();
      await harness.settle();
      assert.equal(pair.serverHandler.bytes, 0);
    });

    check('a refused connection is told as connect-failed', async (harness) => {
      const handler = new RecordingHandler();
      connectTo(harness, harness.refusingAddress, null, handler);
      await harness.until(() => handler.closes === 1);
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'connect-failed');
      assert.notEqual(handler.error?.detail, '');
    });

    check('an address that does not answer is told as connect-timeout', async (harness) => {
      if (harness.silentAddress === null) return;
      const handler = new RecordingHandler();
      connectTo(harness, harness.silentAddress, null, handler, 300);
      await harness.until(() => handler.closes === 1);
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'connect-timeout');
    });

    check('refuses to listen on an address in use, naming it', async (harness) => {
      const listener = await listenRecording(harness, null, []);
      const again = harness.server.listen(
        { address: listener.address, security: null },
        () => new RecordingHandler(),
      );
      await assert.rejects(again, (error) => {
        assert.ok(error instanceof HeddleError);
        assert.match(error.message, new RegExp(`${listener.address.port}`));
        return true;
      });
    });

    check(
      'a closed listener accepts nothing new; what it accepted lives on; its port is free',
      async (harness) => {
        const pair = await openPair(harness);
        await pair.listener.close();
        const refused = new RecordingHandler();
        connectTo(harness, pair.listener.address, null, refused);
        await harness.until(() => refused.closes === 1);
        assert.equal(refused.connects, 0);
        writeAll(pair.client, Buffer.from('still here'));
        await harness.until(() => pair.serverHandler.bytes === 10);
        const again = await harness.server.listen({ address: pair.listener.address, security: null }, () => {
          return new RecordingHandler();
        });
        await again.close();
      },
    );

    secured(check);
  });
}

type Check = (title: string, body: (harness: TransportHarness) => Promise<void>) => void;

/** The part of the contract that speaks of identities. */
function secured(check: Check): void {
  check('a secured connection tells each end who the other is', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(harness, security.server(null), accepted);
    const handler = new RecordingHandler();
    const client = connectTo(harness, listener.address, security.client(null), handler);
    await harness.until(() => accepted.length === 1 && handler.connects === 1);
    assert.equal(client.peerIdentity, security.serverIdentity);
    assert.equal(accepted[0]!.connection.peerIdentity, security.clientIdentity);
    const bytes = patterned(400_000);
    stream(client, handler, bytes, 30_000);
    await harness.until(() => accepted[0]!.handler.ends === 1);
    assert.ok(accepted[0]!.handler.received.equals(bytes));
    accepted[0]!.connection.writeLatin1('bye');
    accepted[0]!.connection.end();
    await harness.until(() => handler.closes === 1);
    assert.equal(handler.received.toString(), 'bye');
  });

  check(
    'a client that does not accept its server never connects, and the server accepts nothing',
    async (harness) => {
      if (harness.security === null) return;
      const { security } = harness;
      const accepted: Accepted[] = [];
      const listener = await listenRecording(harness, security.server(null), accepted);
      const handler = new RecordingHandler();
      const connection = connectTo(
        harness,
        listener.address,
        security.client((id) => id !== security.serverIdentity),
        handler,
      );
      connection.writeLatin1('secret');
      await harness.until(() => handler.closes === 1);
      await harness.settle();
      assert.equal(handler.connects, 0);
      assert.equal(handler.error?.kind, 'tls-failed');
      assert.equal(
        accepted.reduce((sum, one) => sum + one.handler.bytes, 0),
        0,
      );
    },
  );

  check('a server that does not accept its client gives its owner no connection', async (harness) => {
    if (harness.security === null) return;
    const { security } = harness;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(
      harness,
      security.server((id) => id !== security.clientIdentity),
      accepted,
    );
    const handler = new RecordingHandler();
    const connection = connectTo(harness, listener.address, security.client(null), handler);
    connection.writeLatin1('let me in');
    await harness.until(() => handler.closes + handler.ends > 0);
    await harness.settle();
    assert.equal(accepted.length, 0);
    assert.equal(handler.bytes, 0);
  });

  check('a plain client at a secured listener reaches no owner', async (harness) => {
    if (harness.security === null) return;
    const accepted: Accepted[] = [];
    const listener = await listenRecording(harness, harness.security.server(null), accepted);
    const handler = new RecordingHandler();
    const connection = connectTo(harness, listener.address, null, handler);
    connection.writeLatin1('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await harness.until(() => handler.closes + handler.ends > 0);
    assert.equal(accepted.length, 0);
  });
}
