import { FrameTexts } from '../http2/test-peer.ts';
import type { Connection, ConnectionHandler } from '../transport/transport.ts';

/** A server's end of a connection: reads frames as text, sends those that a test wants. */
export class Peer implements ConnectionHandler {
  private readonly connection: Connection;
  private readonly texts = new FrameTexts();
  private readonly said: string[] = [];
  isClosed = false;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  send(...frames: readonly Buffer[]): void {
    const bytes = Buffer.concat(frames);
    this.connection.write(bytes, 0, bytes.length);
  }

  close(): void {
    this.connection.destroy();
  }

  /** The ids of streams on which requests have come. */
  get streams(): number[] {
    return this.said.flatMap((text) => (text.startsWith('HEADERS') ? [Number(text.split(' ')[1])] : []));
  }

  heard(start: string): string[] {
    return this.said.filter((text) => text.startsWith(start));
  }

  onConnect(): void {}
  onData(buffer: Buffer, start: number, end: number): void {
    this.said.push(...this.texts.read(Buffer.from(buffer.subarray(start, end))));
  }
  onEnd(): void {
    this.connection.end();
  }
  onDrain(): void {}
  onClose(): void {
    this.isClosed = true;
  }
}
