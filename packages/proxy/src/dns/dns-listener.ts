// A bound DNS listener: datagrams and streams on one port.
import type { Clock, Timer } from '@heddle/base';
import type { DatagramAddress, DatagramSocket, DatagramTransport } from '../transport/datagrams.ts';
import type { Connection, ConnectionHandler, Listener, Transport } from '../transport/transport.ts';
import type { QueryAnswerer } from './answer-query.ts';
import { FrameReader, frameMessage } from './stream-framing.ts';

export interface DnsListenerOptions {
  readonly transport: Transport;
  readonly datagrams: DatagramTransport;
  readonly clock: Clock;
}

/** RFC 7766 §6.2.3: a client that says nothing is let go after some seconds. */
const streamIdleMs = 10_000;
const maxStreams = 256;
/** Queries of one stream that wait for their answers; the next ones stay in the kernel. */
const maxQueriesPerStream = 32;

export class DnsListener {
  /** Replaced when the configuration changes. */
  answerer: QueryAnswerer;
  private readonly socket: DatagramSocket;
  private listener: Listener | null = null;
  private readonly streams = new Set<DnsStream>();
  private readonly clock: Clock;

  private constructor(socket: DatagramSocket, answerer: QueryAnswerer, clock: Clock) {
    this.socket = socket;
    this.answerer = answerer;
    this.clock = clock;
  }

  /** Binds both; rejects with a `HeddleError` where one is taken. */
  static async open(
    address: DatagramAddress,
    answerer: QueryAnswerer,
    { transport, datagrams, clock }: DnsListenerOptions,
  ): Promise<DnsListener> {
    let self: DnsListener | null = null;
    const socket = await datagrams.openDatagrams(
      { local: address, peer: null },
      {
        onDatagram: (bytes, from) => void self?.onDatagram(bytes, from),
        onError: () => undefined,
      },
    );
    const opened = new DnsListener(socket, answerer, clock);
    self = opened;
    try {
      opened.listener = await transport.listen({ address: socket.address, security: null }, (connection) =>
        opened.accept(connection),
      );
    } catch (error) {
      socket.close();
      throw error;
    }
    return opened;
  }

  get address(): DatagramAddress {
    return this.socket.address;
  }

  async close(): Promise<void> {
    this.socket.close();
    for (const stream of this.streams) stream.destroy();
    await this.listener?.close();
  }

  private async onDatagram(bytes: Buffer, from: DatagramAddress): Promise<void> {
    const response = await this.answerer.answer(bytes, true);
    if (response !== null) this.socket.send(response, from);
  }

  private accept(connection: Connection): ConnectionHandler {
    const stream = new DnsStream(connection, this, this.clock, () => this.streams.delete(stream));
    this.streams.add(stream);
    // The one that has been here longest makes room.
    if (this.streams.size > maxStreams) [...this.streams][0]!.destroy();
    return stream;
  }
}

class DnsStream implements ConnectionHandler {
  private readonly connection: Connection;
  private readonly owner: DnsListener;
  private readonly clock: Clock;
  private readonly onGone: () => void;
  private readonly reader = new FrameReader();
  private waiting = 0;
  private hasEnded = false;
  private isGone = false;
  private idle: Timer;

  constructor(connection: Connection, owner: DnsListener, clock: Clock, onGone: () => void) {
    this.connection = connection;
    this.owner = owner;
    this.clock = clock;
    this.onGone = onGone;
    this.idle = this.startIdle();
  }

  destroy(): void {
    this.connection.destroy();
  }

  onConnect(): void {
    // An accepted connection is connected.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.touch();
    for (const query of this.reader.push(buffer, start, end)) void this.answer(Buffer.from(query));
    if (this.waiting >= maxQueriesPerStream) this.connection.pauseReading();
  }

  onEnd(): void {
    this.hasEnded = true;
    if (this.waiting === 0) this.connection.end();
  }

  onDrain(): void {
    this.touch();
  }

  onClose(): void {
    this.isGone = true;
    this.idle.cancel();
    this.onGone();
  }

  private async answer(query: Buffer): Promise<void> {
    this.waiting++;
    const response = await this.owner.answerer.answer(query, false);
    this.waiting--;
    if (this.isGone) return;
    if (response !== null) {
      const frame = frameMessage(response);
      this.connection.write(frame, 0, frame.length);
    }
    if (this.waiting < maxQueriesPerStream) this.connection.resumeReading();
    if (this.hasEnded && this.waiting === 0) this.connection.end();
  }

  private touch(): void {
    this.idle.cancel();
    this.idle = this.startIdle();
  }

  private startIdle(): Timer {
    return this.clock.setTimer(streamIdleMs, () => this.connection.destroy());
  }
}
