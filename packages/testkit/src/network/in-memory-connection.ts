import { invariant } from '@heddle/base';
import type {
  Connection,
  ConnectionHandler,
  ConnectionSource,
  TcpAddress,
  TlsSession,
  TransportError,
} from '@heddle/proxy';
import type { SeededRandom } from '../seeded-random.ts';
import type { Wire, WireConditions } from './wire.ts';

/** How a connection cuts and holds bytes. */
export interface StreamConditions extends WireConditions {
  /** Bytes that fit between a writer and its reader, as socket buffers would hold them. */
  readonly windowBytes: number;
  /** Cut what arrives at random places. */
  readonly splitReads: boolean;
}

export interface EndpointAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

const largestRead = 65_536;

/** Bytes are handed over in this buffer, which is overwritten afterwards: a handler that keeps a reference reads rubbish. */
const scratch = Buffer.alloc(largestRead + 256);
const rubbish = 0xdd;

const closedHere: TransportError = Object.freeze({
  kind: 'closed',
  detail: 'the connection was closed on this side',
});
const noTls: TransportError = Object.freeze({ kind: 'tls-failed', detail: 'the peer speaks no TLS' });
const resetByPeer: TransportError = Object.freeze({ kind: 'reset', detail: 'the peer reset the connection' });

/** One end of a connection of the in-memory network. */
export class InMemoryConnection implements Connection {
  readonly fileDescriptor = -1;
  upstreamSource: ConnectionSource | null = null;
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
  originalDestination: TcpAddress | null = null;
  readonly directRemoteAddress: string;
  readonly directRemotePort: number;
  inspectedServerName = '';
  peerIdentity = '';
  peerFingerprint = '';
  tls: TlsSession | null = null;
  /** End of validity of the peer's certificate in milliseconds since 1970. */
  peerCertificateNotAfter = 0;

  private readonly conditions: StreamConditions;
  private readonly random: SeededRandom;
  private readonly outgoing: Wire;
  private peer: InMemoryConnection | null = null;
  private handler: ConnectionHandler | null = null;

  private isEstablished = false;
  /** `onClose` was called or will be, or the process is gone: nothing more is told or taken. */
  private isClosed = false;
  private onGone: (() => void) | null = null;

  /** What this end began a handshake with that has not ended yet. */
  private hello: Buffer | null = null;
  private outbox: Buffer[] = [];
  private outboxBytes = 0;
  private inFlightBytes = 0;
  private owesDrain = false;
  private isEnding = false;
  private finSent = false;

  private inbox: Buffer[] = [];
  private inboxBytes = 0;
  private finArrived = false;
  private finTold = false;
  private isPaused = false;
  private isPumping = false;

  constructor(
    conditions: StreamConditions,
    random: SeededRandom,
    outgoing: Wire,
    addresses: EndpointAddresses,
  ) {
    this.conditions = conditions;
    this.random = random;
    this.outgoing = outgoing;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.directRemoteAddress = addresses.remoteAddress;
    this.directRemotePort = addresses.remotePort;
  }

  overrideAddresses(remote: TcpAddress | null, local: TcpAddress | null): void {
    if (remote !== null) {
      this.remoteAddress = remote.host;
      this.remotePort = remote.port;
    }
    if (local === null) return;
    this.localAddress = local.host;
    this.localPort = local.port;
    this.originalDestination = local;
  }

  /** The network's part: ties both ends together. */
  attach(peer: InMemoryConnection): void {
    this.peer = peer;
  }

  /** The network's part: the owner, and what to do when this end is over. */
  own(handler: ConnectionHandler, gone: () => void): void {
    this.handler = handler;
    this.onGone = gone;
    if (this.isClosed) gone();
  }

  /** The network's part: the link is secured, with this peer. */
  secure(session: TlsSession): void {
    this.tls = session;
    const { peer } = session;
    if (peer === null) return;
    this.peerIdentity = peer.uriSans[0] ?? '';
    this.peerFingerprint = peer.fingerprint;
    this.peerCertificateNotAfter = peer.notAfterMs;
  }

  /**
   * The network's part: this connecting end has sent `hello`, behind `preface`, and waits for the other's part of a handshake. Bytes that come
   * instead, or an end, are the answer of somebody who speaks no TLS.
   */
  beginHandshake(hello: Buffer, preface: Buffer | null): void {
    this.hello = hello;
    this.inFlightBytes += hello.length;
    const peer = this.peer!;
    if (preface !== null) {
      this.inFlightBytes += preface.length;
      this.outgoing.send(() => peer.receive(preface));
    }
    this.outgoing.send(() => peer.receive(hello));
  }

  /** The network's part: the ClientHello that the other end sent, or null where it began no handshake. */
  get peerHello(): Buffer | null {
    return this.peer!.hello;
  }

  /** The network's part: from now on bytes go out; they come in once the end is owned. */
  open(): void {
    this.isEstablished = true;
  }

  setHandler(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  /** The network's part: another owner, which hears what comes from now on. */
  takeOver(handler: ConnectionHandler): void {
    this.handler = handler;
    this.resumeReading();
  }

  /** The network's part: the end is up and owned. A connecting end is told so. */
  establish(tell: boolean): void {
    if (this.isClosed) return;
    this.isEstablished = true;
    if (tell) this.handler!.onConnect();
    this.flush();
    this.pump();
  }

  /** The network's part: the connection never comes to be. */
  fail(error: TransportError): void {
    if (this.isClosed) return;
    this.sendReset();
    this.close(error);
  }

  /** The network's part: this end, which has no owner yet, does not want the peer. */
  refuse(): void {
    this.isClosed = true;
    this.sendReset();
  }

  /** The network's part: the process of this end is gone. Its handler hears nothing; the peer notices. */
  die(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onGone?.();
    this.handler = null;
    this.sayGoodbye();
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    if (this.isClosed || this.isEnding) return false;
    invariant(start >= 0 && start <= end && end <= buffer.length, 'write is given a range of its buffer');
    if (start < end) {
      this.outbox.push(Buffer.from(buffer.subarray(start, end)));
      this.outboxBytes += end - start;
      this.flush();
    }
    if (this.outboxBytes === 0) return true;
    this.owesDrain = true;
    return false;
  }

  writeLatin1(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1');
    return this.write(bytes, 0, bytes.length);
  }

  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean {
    const bytes = Buffer.concat([Buffer.from(text, 'latin1'), buffer.subarray(start, end)]);
    return this.write(bytes, 0, bytes.length);
  }

  end(): void {
    if (this.isClosed || this.isEnding) return;
    this.isEnding = true;
    this.flush();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.sayGoodbye();
    this.onGone?.();
    this.conditions.clock.setTimer(0, () => this.handler?.onClose(closedHere));
  }

  reset(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.sendReset();
    this.onGone?.();
    this.conditions.clock.setTimer(0, () => this.handler?.onClose(closedHere));
  }

  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    this.isPaused = false;
    this.pump();
  }

  /** Whether this end takes part any more. */
  get isOpen(): boolean {
    return !this.isClosed;
  }

  /** Moves bytes from memory into the window; when all are there, the end follows. */
  private flush(): void {
    if (!this.isEstablished || this.isClosed) return;
    while (this.outbox.length > 0) {
      const room = this.conditions.windowBytes - this.inFlightBytes;
      if (room <= 0) return;
      let bytes = this.outbox[0]!;
      if (bytes.length > room) {
        this.outbox[0] = bytes.subarray(room);
        bytes = bytes.subarray(0, room);
      } else {
        this.outbox.shift();
      }
      this.outboxBytes -= bytes.length;
      this.inFlightBytes += bytes.length;
      const peer = this.peer!;
      this.outgoing.send(() => peer.receive(bytes));
    }
    if (this.isEnding && !this.finSent) {
      this.finSent = true;
      const peer = this.peer!;
      this.outgoing.send(() => peer.receiveEnd());
      this.conditions.clock.setTimer(0, () => this.closeWhenBothEnded());
    }
    if (this.owesDrain && !this.isEnding) {
      this.owesDrain = false;
      this.conditions.clock.setTimer(0, () => {
        if (!this.isClosed && this.outboxBytes === 0) this.handler!.onDrain();
      });
    }
  }

  private receive(bytes: Buffer): void {
    if (this.isClosed) {
      // Nobody reads here any more.
      this.sendReset();
      return;
    }
    if (this.hello !== null && !this.isEstablished) {
      this.fail(noTls);
      return;
    }
    this.inbox.push(bytes);
    this.inboxBytes += bytes.length;
    this.pump();
  }

  private receiveEnd(): void {
    if (this.hello !== null && !this.isEstablished) {
      this.fail(noTls);
      return;
    }
    this.finArrived = true;
    this.pump();
  }

  private receiveReset(): void {
    this.close(resetByPeer);
  }

  /** Room in the window again, for the writer at the other end. */
  private receiveCredit(bytes: number): void {
    this.inFlightBytes -= bytes;
    this.flush();
  }

  private pump(): void {
    if (this.isPumping || !this.isEstablished || this.isPaused || this.isClosed) return;
    if (this.inboxBytes === 0 && (!this.finArrived || this.finTold)) return;
    this.isPumping = true;
    this.conditions.clock.setTimer(0, () => {
      this.isPumping = false;
      if (this.isPaused || this.isClosed) return;
      if (this.inboxBytes > 0) this.hand(this.readSize());
      else this.tellEnd();
      this.pump();
    });
  }

  private readSize(): number {
    const available = Math.min(this.inboxBytes, largestRead);
    if (!this.conditions.splitReads || this.random.chance(0.5)) return available;
    return this.random.integer(1, this.random.chance(0.5) ? available : Math.min(available, 16));
  }

  /** Gives the handler the next `size` bytes. */
  private hand(size: number): void {
    const start = this.random.integer(0, scratch.length - size);
    let filled = 0;
    while (filled < size) {
      const first = this.inbox[0]!;
      const taken = Math.min(first.length, size - filled);
      first.copy(scratch, start + filled, 0, taken);
      if (taken === first.length) this.inbox.shift();
      else this.inbox[0] = first.subarray(taken);
      filled += taken;
    }
    this.inboxBytes -= size;
    const peer = this.peer!;
    // A writer that waits hears of the room after the way back; for one that doesn't, only the sum counts.
    if (peer.outboxBytes > 0) this.outgoing.send(() => peer.receiveCredit(size));
    else peer.inFlightBytes -= size;
    this.handler!.onData(scratch, start, start + size);
    scratch.fill(rubbish, start, start + size);
  }

  private tellEnd(): void {
    this.finTold = true;
    this.handler!.onEnd();
    this.closeWhenBothEnded();
  }

  private closeWhenBothEnded(): void {
    if (this.finTold && this.finSent) this.close(null);
  }

  private close(error: TransportError | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onGone?.();
    this.handler?.onClose(error);
  }

  private sendReset(): void {
    const peer = this.peer!;
    this.outgoing.send(() => peer.receiveReset());
  }

  /** What the peer of an end that goes without ceremony sees: a reset where bytes were left unread, else one of the two. */
  private sayGoodbye(): void {
    const peer = this.peer!;
    if (this.inboxBytes > 0 || this.outboxBytes > 0 || this.random.chance(0.5)) this.sendReset();
    else if (!this.finSent) {
      this.finSent = true;
      this.outgoing.send(() => peer.receiveEnd());
    }
  }
}
