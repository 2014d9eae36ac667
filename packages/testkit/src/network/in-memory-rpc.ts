import type { Clock } from '@heddle/base';
import type {
  Connection,
  ConnectionHandler,
  LinkSecurity,
  Listener,
  PeerMatcher,
  TransportAddress,
} from '@heddle/proxy';
import {
  RpcCode,
  type RpcClient,
  type RpcMethods,
  type RpcPeer,
  type RpcReply,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
} from '@heddle/xds';
import { meshSecurity } from '@heddle/proxy';
import { InMemoryConnection } from './in-memory-connection.ts';
import type { SimulatedNode } from './in-memory-network.ts';
import { FrameReader, FrameType, packParts, sendFrame, unpackParts } from './rpc-frames.ts';

const nothing = new Uint8Array(0);
const connectTimeoutMs = 5000;

/** Link security for the in-memory network, which looks at identities only. */
export function simulatedSecurity(acceptPeer: PeerMatcher | null = null): LinkSecurity {
  return meshSecurity({
    secrets: { certificate: () => null, trustBundle: () => null },
    acceptPeer,
    alpn: [],
  });
}

/** One side's view of a stream; the other side's is at the far end of the connection. */
class InMemoryStream implements RpcStream {
  readonly id: number;
  handler: RpcStreamHandler | null = null;
  isOver = false;
  owesWritable = false;
  private readonly side: Side;

  constructor(side: Side, id: number) {
    this.side = side;
    this.id = id;
  }

  send(message: Uint8Array): boolean {
    if (this.isOver) return false;
    const roomy = this.side.send(FrameType.message, this.id, message);
    if (!roomy) this.owesWritable = true;
    return roomy;
  }

  end(status: RpcStatus = { code: RpcCode.ok, message: '' }): void {
    if (this.isOver) return;
    if (!this.side.isServer) {
      this.side.send(FrameType.halfClose, this.id, nothing);
      return;
    }
    this.side.send(FrameType.status, this.id, packParts(status.code, status.message, nothing));
    this.finishLater({ code: RpcCode.ok, message: '' });
  }

  cancel(): void {
    if (this.isOver) return;
    this.side.send(FrameType.cancel, this.id, nothing);
    this.finishLater({ code: RpcCode.cancelled, message: 'cancelled on this side' });
  }

  /** The stream is over; its handler hears so, now. */
  finish(status: RpcStatus): void {
    if (this.isOver) return;
    this.isOver = true;
    this.side.streams.delete(this.id);
    this.handler?.onEnd(status);
  }

  private finishLater(status: RpcStatus): void {
    this.isOver = true;
    this.side.streams.delete(this.id);
    this.side.clock.setTimer(0, () => this.handler?.onEnd(status));
  }
}

/** What one connection carries, seen from one end. */
class Side {
  readonly clock: Clock;
  readonly isServer: boolean;
  readonly streams = new Map<number, InMemoryStream>();
  connection: Connection | null = null;

  constructor(clock: Clock, isServer: boolean) {
    this.clock = clock;
    this.isServer = isServer;
  }

  send(type: number, stream: number, payload: Uint8Array): boolean {
    return this.connection !== null && sendFrame(this.connection, type, stream, payload);
  }

  /** Tells streams that held back that there is room again. */
  drained(): void {
    for (const stream of [...this.streams.values()]) {
      if (!stream.owesWritable || stream.isOver) continue;
      stream.owesWritable = false;
      stream.handler?.onWritable();
    }
  }

  /** Ends every stream. */
  lost(status: RpcStatus): void {
    for (const stream of [...this.streams.values()]) stream.finish(status);
  }
}

/** A client over the in-memory network. Make it with `createInMemoryRpcClient`. */
class InMemoryRpcClient implements RpcClient {
  private readonly node: SimulatedNode;
  private readonly address: TransportAddress;
  private readonly security: LinkSecurity;
  private side: Side | null = null;
  private readonly calls = new Map<number, (reply: RpcReply) => void>();
  private nextId = 1;

  constructor(node: SimulatedNode, address: TransportAddress, security: LinkSecurity) {
    this.node = node;
    this.address = address;
    this.security = security;
  }

  openStream(method: string, handler: RpcStreamHandler): RpcStream {
    const side = this.connectedSide();
    const stream = new InMemoryStream(side, this.nextId++);
    stream.handler = handler;
    side.streams.set(stream.id, stream);
    side.send(FrameType.openStream, stream.id, Buffer.from(method, 'utf8'));
    return stream;
  }

  call(method: string, request: Uint8Array, timeoutMs: number): Promise<RpcReply> {
    const side = this.connectedSide();
    const id = this.nextId++;
    return new Promise((resolve) => {
      const deadline = this.node.clock.setTimer(timeoutMs, () => {
        side.send(FrameType.cancel, id, nothing);
        this.calls.get(id)!(failedReply(RpcCode.deadlineExceeded, `no reply within ${timeoutMs} ms`));
      });
      this.calls.set(id, (reply) => {
        this.calls.delete(id);
        deadline.cancel();
        resolve(reply);
      });
      side.send(FrameType.call, id, packParts(0, method, request));
    });
  }

  close(): void {
    this.side?.connection?.destroy();
    this.lose({ code: RpcCode.cancelled, message: 'the client was closed' });
  }

  private connectedSide(): Side {
    if (this.side !== null) return this.side;
    const side = new Side(this.node.clock, false);
    this.side = side;
    const reader = new FrameReader((type, id, payload) => this.receive(side, type, id, payload));
    const handler: ConnectionHandler = {
      onConnect: () => undefined,
      onData: (buffer, start, end) => reader.push(buffer, start, end),
      onEnd: () => side.connection!.end(),
      onDrain: () => side.drained(),
      onClose: (error) => {
        if (this.side !== side) return;
        this.lose({
          code: RpcCode.unavailable,
          message: error?.detail ?? 'the server closed the connection',
        });
      },
    };
    side.connection = this.node.connect(
      { address: this.address, security: this.security, timeoutMs: connectTimeoutMs },
      handler,
    );
    return side;
  }

  private receive(side: Side, type: number, id: number, payload: Uint8Array): void {
    const call = this.calls.get(id);
    if (call !== undefined && type === FrameType.status) {
      const { code, text, bytes } = unpackParts(payload);
      call({ status: { code, message: text }, message: bytes });
      return;
    }
    const stream = side.streams.get(id);
    if (stream === undefined) return;
    if (type === FrameType.message) {
      stream.handler!.onMessage(payload);
    } else if (type === FrameType.status) {
      const { code, text } = unpackParts(payload);
      stream.finish({ code, message: text });
    } else if (type === FrameType.cancel) {
      stream.finish({ code: RpcCode.cancelled, message: 'cancelled by the server' });
    }
  }

  private lose(status: RpcStatus): void {
    const side = this.side;
    this.side = null;
    side?.lost(status);
    for (const call of [...this.calls.values()]) call(failedReply(status.code, status.message));
  }
}

/** Makes a client of `node` for the server at `address`; its connections carry the node's identity. */
export function createInMemoryRpcClient(
  node: SimulatedNode,
  address: TransportAddress,
  security: LinkSecurity = simulatedSecurity(),
): RpcClient {
  return new InMemoryRpcClient(node, address, security);
}

/** Serves `methods` on a secured listener of `node`. */
export function serveInMemoryRpc(
  node: SimulatedNode,
  address: TransportAddress,
  methods: RpcMethods,
  security: LinkSecurity = simulatedSecurity(),
): Promise<Listener> {
  return node.listen({ address, security }, (connection) => serveConnection(node.clock, connection, methods));
}

function serveConnection(clock: Clock, connection: Connection, methods: RpcMethods): ConnectionHandler {
  const side = new Side(clock, true);
  side.connection = connection;
  const peer: RpcPeer = {
    identity: connection.peerIdentity,
    remoteAddress: `${connection.remoteAddress}:${connection.remotePort}`,
    certificateNotAfter:
      connection instanceof InMemoryConnection ? connection.peerCertificateNotAfter : Number.MAX_SAFE_INTEGER,
  };
  const reader = new FrameReader((type, id, payload) => serveFrame(side, methods, peer, type, id, payload));
  return {
    onConnect: () => undefined,
    onData: (buffer, start, end) => reader.push(buffer, start, end),
    onEnd: () => connection.end(),
    onDrain: () => side.drained(),
    onClose: (error) =>
      side.lost({ code: RpcCode.cancelled, message: error?.detail ?? 'the client closed the connection' }),
  };
}

function serveFrame(
  side: Side,
  methods: RpcMethods,
  peer: RpcPeer,
  type: number,
  id: number,
  payload: Uint8Array,
): void {
  if (type === FrameType.openStream) {
    const name = Buffer.from(payload).toString('utf8');
    const method = methods.get(name);
    if (method?.kind !== 'stream') {
      side.send(FrameType.status, id, packParts(RpcCode.unimplemented, `no stream ${name}`, nothing));
      return;
    }
    const stream = new InMemoryStream(side, id);
    side.streams.set(id, stream);
    stream.handler = method.open(stream, peer);
    return;
  }
  if (type === FrameType.call) {
    void answer(side, methods, peer, id, payload);
    return;
  }
  const stream = side.streams.get(id);
  if (stream === undefined) return;
  if (type === FrameType.message) stream.handler?.onMessage(payload);
  else if (type === FrameType.halfClose) stream.handler?.onHalfClose();
  else if (type === FrameType.cancel) {
    stream.finish({ code: RpcCode.cancelled, message: 'cancelled by the client' });
  }
}

async function answer(
  side: Side,
  methods: RpcMethods,
  peer: RpcPeer,
  id: number,
  payload: Uint8Array,
): Promise<void> {
  const { text: name, bytes } = unpackParts(payload);
  const method = methods.get(name);
  const reply =
    method?.kind === 'unary'
      ? await method.handle(bytes, peer)
      : failedReply(RpcCode.unimplemented, `no method ${name}`);
  side.send(FrameType.status, id, packParts(reply.status.code, reply.status.message, reply.message));
}

function failedReply(code: number, message: string): RpcReply {
  return { status: { code, message }, message: nothing };
}
