// What the contract of transports is told with: harness, recording owners, pairs.
import assert from 'node:assert/strict';
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
  UnixAddress,
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
  /** Unix sockets of `server`, or null where there are none. */
  readonly unixAddresses: readonly UnixAddress[] | null;
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
export interface Accepted {
  readonly connection: Connection;
  readonly handler: RecordingHandler;
}

export interface Pair {
  readonly client: Connection;
  readonly clientHandler: RecordingHandler;
  readonly server: Connection;
  readonly serverHandler: RecordingHandler;
  readonly listener: Listener;
}

export async function openPair(harness: TransportHarness): Promise<Pair> {
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

export function listenRecording(
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

export function connectTo(
  harness: TransportHarness,
  address: TransportAddress,
  security: LinkSecurity | null,
  handler: ConnectionHandler,
  timeoutMs = 5000,
): Connection {
  return harness.client.connect({ address, security, timeoutMs }, handler);
}

/** Bytes in which a lost, doubled or moved piece shows. */
export function patterned(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7) & 0xff;
  return bytes;
}

export function writeAll(connection: Connection, bytes: Buffer): boolean {
  return connection.write(bytes, 0, bytes.length);
}

/** Sends `bytes` in pieces, holding back when told to, then ends. */
export function stream(
  connection: Connection,
  handler: RecordingHandler,
  bytes: Buffer,
  piece: number,
): void {
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

/** One case of the contract, run against fresh transports. */
export type Check = (title: string, body: (harness: TransportHarness) => Promise<void>) => void;

/** A transport that remembers what it was asked for, so that nothing outlives a test. */
export class TrackedTransport implements Transport {
  readonly ownAddress: string;
  private readonly inner: Transport;
  private readonly connections: Connection[] = [];
  private readonly listeners: Listener[] = [];

  constructor(inner: Transport) {
    this.inner = inner;
    this.ownAddress = inner.ownAddress;
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const listener = await this.inner.listen(options, (connection) => {
      this.connections.push(connection);
      return accept(connection);
    });
    this.listeners.push(listener);
    return listener;
  }

  secure(
    connection: Connection,
    received: Buffer,
    security: LinkSecurity,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void {
    const acceptSecured: AcceptHandler = (secured) => {
      this.connections.push(secured);
      return accept(secured);
    };
    this.inner.secure(connection, received, security, acceptSecured, onFailed);
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
