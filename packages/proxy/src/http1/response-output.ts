// Hot path.
// What a client's connection of HTTP/1.1 sends: a response's head waits for the beginning of its body.
import type { FieldList } from '../codec/field-list.ts';
import type { Connection } from '../transport/transport.ts';
import type { ServerSettings } from './server-settings.ts';

/** A body up to this size leaves together with its head: copying it costs less than a second system call. */
const maxJoinedBytes = 16 * 1024;
const lastChunk = '0\r\n\r\n';

/** Behind each chunk. */
export const lineEnd = Buffer.from('\r\n');

/** The sending half of a server's connection. */
export abstract class ResponseOutput {
  readonly connection: Connection;
  readonly settings: ServerSettings;
  protected heldHead = '';
  /** The response's body has no length: it goes out in chunks. */
  protected chunksResponse = false;
  /** It is chunked, here or already: trailers have a place. */
  protected takesResponseTrailers = false;
  /** What was written waits in memory: the next request is taken up when the client has read. */
  protected isWriteBlocked = false;

  constructor(connection: Connection, settings: ServerSettings) {
    this.connection = connection;
    this.settings = settings;
  }

  sendBody(buffer: Buffer, start: number, end: number): boolean {
    if (!this.chunksResponse) return this.writeBody(buffer, start, end);
    if (start === end) return !this.isWriteBlocked;
    this.writeText(`${(end - start).toString(16)}\r\n`);
    this.writeBody(buffer, start, end);
    return this.writeBody(lineEnd, 0, lineEnd.length);
  }

  sendTrailers(fields: FieldList): void {
    // Behind a body with a length they would be the beginning of the next response.
    if (!this.settings.takesTrailers || !this.takesResponseTrailers) return;
    // Chunks that are passed on bring what ends the section.
    if (this.chunksResponse) this.writeText(`0\r\n${fields.lines()}\r\n`);
    else this.writeText(fields.lines());
    this.chunksResponse = false;
  }

  flush(): boolean {
    const head = this.heldHead;
    if (head === '') return true;
    this.heldHead = '';
    return this.write(head);
  }

  /** The body is complete, trailers included. */
  protected endBody(): void {
    if (this.chunksResponse) this.writeText(lastChunk);
  }

  /** Sends part of the body as it is, what is held of the head in front of it. */
  private writeBody(buffer: Buffer, start: number, end: number): boolean {
    const head = this.heldHead;
    if (head !== '') {
      this.heldHead = '';
      if (end - start <= maxJoinedBytes) {
        this.settings.metrics.bytesSent.value += head.length + end - start;
        return this.noted(this.connection.writeHeadAndBody(head, buffer, start, end));
      }
      this.write(head);
    }
    this.settings.metrics.bytesSent.value += end - start;
    return this.noted(this.connection.write(buffer, start, end));
  }

  /** Sends text that belongs to the body. */
  private writeText(text: string): boolean {
    const head = this.heldHead;
    this.heldHead = '';
    return this.write(head === '' ? text : head + text);
  }

  protected writeInterim(text: string): void {
    this.settings.metrics.countResponse(100);
    this.write(text);
  }

  protected write(text: string): boolean {
    this.settings.metrics.bytesSent.value += text.length;
    return this.noted(this.connection.writeLatin1(text));
  }

  /** Remembers the outcome of a write. */
  private noted(writable: boolean): boolean {
    if (!writable) this.isWriteBlocked = true;
    return writable;
  }
}
