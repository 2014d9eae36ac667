// What a client's connection, whichever codec it speaks, and those who serve its requests ask of each other.
import type { ByteCount } from './byte-count.ts';
import type { ByteStream, Connection, ConnectionHandler } from '../transport/transport.ts';
import type { FieldList } from './field-list.ts';
import type { RequestHeadView } from './message-view.ts';
import type { OutgoingResponse } from './outgoing-response.ts';

/** One request's way back: where its response is written. */
export interface ServerStream {
  readonly connection: Connection;
  /** Chunked bodies are passed on with their framing; otherwise they have to come without it. */
  readonly takesChunks: boolean;
  /** True once the last byte of the request's body has arrived: a response before that ends the stream. */
  readonly isRequestComplete: boolean;
  /** Bytes of the request's body so far, framing left out. */
  readonly bodyBytes: number;
  /** `exchange` is told what follows of the request whose head is being told. */
  serveBy(exchange: LayeredExchange): void;
  /** Nothing more may be asked on this connection, where it carries one request at a time. */
  endConnection(): void;
  /** Has the chunked body whose head is being told come without its framing. */
  unframeRequest(): void;
  /** Sends the response's head. It may wait for the first bytes of the body, so that a small response leaves in one write, or for `flush`. */
  sendHead(response: OutgoingResponse): void;
  /** Sends an interim response (1xx). */
  sendInterim(response: OutgoingResponse): void;
  /** Sends part of the body. False: wait for `onResponseDrain`. */
  sendBody(buffer: Buffer, start: number, end: number): boolean;
  /** Sends the fields behind the body; nothing but `endResponse` may follow. */
  sendTrailers(fields: FieldList): void;
  /** Sends what waits. False: wait for `onResponseDrain`. */
  flush(): boolean;
  /** The response is complete; the last call. */
  endResponse(): void;
  /** The response can't be completed; the last call. */
  abort(): void;
  /** The upstream takes no more of the body for now. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** Who writes to a tunnel's stream counts the bytes here. */
  readonly tunnelSent: ByteCount;
  /** `handler` is given all bytes from here on, those that came early first; the stream that it may write to. */
  startTunnel(handler: ConnectionHandler): ByteStream;
}

/** A request that can't be served, as Envoy's users know the answer. */
export interface Rejection {
  readonly status: number;
  /** `%RESPONSE_FLAGS%`: `DPE` where the request could not be understood. */
  readonly flag: string;
  /** `%RESPONSE_CODE_DETAILS%`. */
  readonly detail: string;
}

/**
 * What serves one request after the other, of one stream at a time. Calls are synchronous; the bytes of `onRequestBody` and
 * what `onRequestTrailers` is given are valid during the call only.
 */
export interface ServerExchange {
  onRequestHead(head: RequestHeadView): void;
  /** Part of the body; chunked bodies come with their framing unless `unframeRequest` was called. */
  onRequestBody(buffer: Buffer, start: number, end: number): void;
  /** Fields behind the body, forbidden ones left out. Only where they are enabled. */
  onRequestTrailers(fields: FieldList): void;
  onRequestEnd(): void;
  /** The client takes bytes again, after `sendBody` had answered false. */
  onResponseDrain(): void;
  /** The client is gone while a response was owed. `details` is Envoy's word for how (`%RESPONSE_CODE_DETAILS%`). */
  onClientGone(details: string): void;
  /** The fields that an answer of the codec's own carries besides those about its body. */
  ownReplyFields(): FieldList;
  /** A request can't be served, or read any further: the codec has answered it with `response` and `bodyBytes` of text. */
  onRejected(rejection: Rejection, response: OutgoingResponse, bodyBytes: number): void;
}

/** An exchange whose stream can be another one than the client's own, from the middle of a request on. */
export interface LayeredExchange extends ServerExchange {
  /** Responses go to this stream from here on. */
  attach(stream: ServerStream): void;
}

/** Where streams find who serves them. */
export interface ExchangeSource {
  /** What serves the requests of `stream` until it is given back. */
  take(stream: ServerStream): ServerExchange;
  /** The stream rests or has ended: it makes no further call. */
  giveBack(exchange: ServerExchange): void;
}
