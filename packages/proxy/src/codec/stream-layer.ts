// Hot path of those requests that have one.
import type { ByteStream, Connection, ConnectionHandler } from '../transport/transport.ts';
import type { ByteCount } from './byte-count.ts';
import type { FieldList } from './field-list.ts';
import type { RequestHeadView } from './message-view.ts';
import type { OutgoingResponse } from './outgoing-response.ts';
import type { LayeredExchange, Rejection, ServerStream } from './server-stream.ts';

/**
 * Stands between a client's stream and the exchange that serves it, from the request's head to the end of the response, and
 * passes on what either tells the other: who extends it changes what it has to. Several can stand behind each other.
 */
export abstract class StreamLayer implements ServerStream, LayeredExchange {
  /** The client's side. */
  protected stream!: ServerStream;
  /** The upstream's side. */
  private served!: LayeredExchange;

  /** What becomes of a request's body: one of `BodyKind`, of which the body is that comes. */
  abstract requestBodyKind(bodyKind: number): number;

  /** Takes its place; the head of the request is the last thing that has been told without it. */
  enter(stream: ServerStream, exchange: LayeredExchange): void {
    this.stream = stream;
    this.served = exchange;
    stream.serveBy(this);
    exchange.attach(this);
  }

  /** Stands between them no more: what follows they tell each other. */
  protected leave(): void {
    this.stream.serveBy(this.served);
    this.served.attach(this.stream);
  }

  // LayeredExchange

  attach(stream: ServerStream): void {
    this.stream = stream;
  }

  onRequestHead(head: RequestHeadView): void {
    this.served.onRequestHead(head);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.served.onRequestBody(buffer, start, end);
  }

  onRequestTrailers(fields: FieldList): void {
    this.served.onRequestTrailers(fields);
  }

  onRequestEnd(): void {
    this.served.onRequestEnd();
  }

  onResponseDrain(): void {
    this.served.onResponseDrain();
  }

  onClientGone(details: string): void {
    this.leave();
    this.served.onClientGone(details);
  }

  ownReplyFields(): FieldList {
    return this.served.ownReplyFields();
  }

  onRejected(rejection: Rejection, response: OutgoingResponse, bodyBytes: number): void {
    this.leave();
    this.served.onRejected(rejection, response, bodyBytes);
  }

  // ServerStream

  get connection(): Connection {
    return this.stream.connection;
  }

  get takesChunks(): boolean {
    return this.stream.takesChunks;
  }

  get isRequestComplete(): boolean {
    return this.stream.isRequestComplete;
  }

  get bodyBytes(): number {
    return this.stream.bodyBytes;
  }

  get tunnelSent(): ByteCount {
    return this.stream.tunnelSent;
  }

  serveBy(exchange: LayeredExchange): void {
    this.served = exchange;
  }

  endConnection(): void {
    this.stream.endConnection();
  }

  unframeRequest(): void {
    this.stream.unframeRequest();
  }

  sendHead(response: OutgoingResponse): void {
    this.stream.sendHead(response);
  }

  sendInterim(response: OutgoingResponse): void {
    this.stream.sendInterim(response);
  }

  sendBody(buffer: Buffer, start: number, end: number): boolean {
    return this.stream.sendBody(buffer, start, end);
  }

  sendTrailers(fields: FieldList): void {
    this.stream.sendTrailers(fields);
  }

  flush(): boolean {
    return this.stream.flush();
  }

  endResponse(): void {
    this.leave();
    this.stream.endResponse();
  }

  abort(): void {
    this.leave();
    this.stream.abort();
  }

  pauseRequest(): void {
    this.stream.pauseRequest();
  }

  resumeRequest(): void {
    this.stream.resumeRequest();
  }

  startTunnel(handler: ConnectionHandler): ByteStream {
    // What follows are no messages.
    this.leave();
    return this.stream.startTunnel(handler);
  }
}
