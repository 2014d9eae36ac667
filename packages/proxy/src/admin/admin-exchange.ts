// Answers the admin interface's requests over the proxy's own codec: a sidecar loads no second HTTP implementation.
import { isIP } from 'node:net';
import { errorMessage, type Clock, type Timer } from '@heddle/base';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BodyKind, type RequestHeadView } from '../codec/message-view.ts';
import { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { ServerExchange, ServerStream } from '../codec/server-stream.ts';
import { type AdminHandler, type AdminResponse, BadAdminRequest, textResponse } from './admin-message.ts';

const safetyFields = [
  new Field('cache-control', 'no-cache, max-age=0'),
  new Field('x-content-type-options', 'nosniff'),
];

/** How long a long answer may hold the thread before traffic has its turn. */
const sliceMs = 1;

/**
 * Whether a request may name this host. A page in a browser could reach this port under a name of its own (DNS rebinding),
 * but not under an address.
 */
function isAllowedHost(authority: string): boolean {
  const host = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(authority);
  if (host === null) return false;
  const name = host[1] ?? host[2] ?? '';
  return name.toLowerCase() === 'localhost' || isIP(name) !== 0;
}

/** Why a request is refused before anybody looks at its path; null where it isn't. */
function refusal(head: RequestHeadView, isUnixSocket: boolean): string | null {
  if (!isUnixSocket && !isAllowedHost(head.authority)) {
    return 'this interface answers to an IP address or localhost as Host, and to no other name\n';
  }
  const origin = head.header('origin');
  if (origin !== null && origin !== `http://${head.authority}`) {
    return 'this interface answers no pages of other origins\n';
  }
  // A form or an image of another site may come without an origin; browsers say so here.
  const site = head.header('sec-fetch-site');
  if (head.method === 'POST' && (site === 'cross-site' || site === 'same-site')) {
    return 'this interface takes no orders from pages of other sites\n';
  }
  return null;
}

export interface AdminExchangeOptions {
  readonly handle: AdminHandler;
  readonly clock: Clock;
  /** No browser reaches a Unix socket: Host may say anything. */
  readonly isUnixSocket: boolean;
}

export class AdminExchange implements ServerExchange {
  private readonly server: ServerStream;
  private readonly options: AdminExchangeOptions;
  private response: AdminResponse | Promise<AdminResponse> | null = null;
  private isHead = false;
  private isGone = false;
  /** What is left of a body in parts. */
  private parts: Iterator<string> | null = null;
  private pause: Timer | null = null;

  constructor(server: ServerStream, options: AdminExchangeOptions) {
    this.server = server;
    this.options = options;
  }

  onRequestHead(head: RequestHeadView): void {
    const refused = refusal(head, this.options.isUnixSocket);
    this.isHead = head.method === 'HEAD';
    if (refused !== null) {
      this.response = textResponse(refused, 403);
      return;
    }
    const { method, path: target } = head;
    const queryAt = target.indexOf('?');
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    const query = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1).replaceAll('+', '%2B'));
    try {
      this.response = this.options.handle({ method, path, query });
    } catch (error) {
      this.response = failure(error);
    }
  }

  onRequestBody(): void {
    // No admin request has a body that matters.
  }

  onRequestTrailers(): void {
    // Nor have its trailers.
  }

  onRequestEnd(): void {
    const response = this.response!;
    this.response = null;
    if (response instanceof Promise) {
      response.catch(failure).then(
        (answer) => this.answer(answer),
        () => this.server.abort(),
      );
    } else {
      this.answer(response);
    }
  }

  onResponseDrain(): void {
    if (this.parts !== null && this.pause === null) this.pump();
  }

  onClientGone(): void {
    this.abandon();
  }

  ownReplyFields(): FieldList {
    return new FieldList();
  }

  onRejected(): void {
    // The connection has answered.
  }

  /** Stops whatever is under way: nobody reads it any more. */
  abandon(): void {
    this.isGone = true;
    this.pause?.cancel();
    this.pause = null;
    this.parts?.return?.();
    this.parts = null;
  }

  private answer({ status, contentType, body }: AdminResponse): void {
    if (this.isGone) return;
    const isWhole = typeof body === 'string';
    const bytes = isWhole ? Buffer.from(body) : null;
    const response = new OutgoingResponse();
    response.status = status;
    response.added.add(new Field('content-type', contentType));
    if (bytes !== null) response.added.add(new Field('content-length', String(bytes.length)));
    for (const field of safetyFields) response.added.add(field);
    response.bodyKind = bytes === null ? BodyKind.untilEnd : BodyKind.length;
    this.server.sendHead(response);
    if (this.isHead) {
      this.server.endResponse();
    } else if (bytes !== null) {
      this.server.sendBody(bytes, 0, bytes.length);
      this.server.endResponse();
    } else {
      this.parts = (body as Iterable<string>)[Symbol.iterator]();
      this.pump();
    }
  }

  /** Sends parts for a millisecond, then lets traffic have its turn. */
  private pump(): void {
    const { clock } = this.options;
    const deadline = clock.monotonic() + sliceMs;
    let text = '';
    let isDone = false;
    try {
      while (this.parts !== null && clock.monotonic() < deadline) {
        const next = this.parts.next();
        if (next.done === true) {
          isDone = true;
          break;
        }
        text += next.value;
      }
    } catch {
      // The head has gone out as a success: only an end without the last chunk can say otherwise.
      this.abandon();
      this.server.abort();
      return;
    }
    const bytes = Buffer.from(text);
    const isTaken = bytes.length === 0 || this.server.sendBody(bytes, 0, bytes.length);
    if (isDone) {
      this.parts = null;
      this.server.endResponse();
      return;
    }
    if (!isTaken) return;
    this.pause = clock.setTimer(0, () => {
      this.pause = null;
      if (this.parts !== null) this.pump();
    });
  }
}

function failure(error: unknown): AdminResponse {
  if (error instanceof BadAdminRequest) return textResponse(error.message, error.status);
  return textResponse(`${errorMessage(error)}\n`, 500);
}
