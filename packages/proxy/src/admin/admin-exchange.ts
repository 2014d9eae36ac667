// Answers the admin interface's requests over the proxy's own codec: a sidecar loads no second HTTP implementation.
import { isIP } from 'node:net';
import { errorMessage, type Clock, type Timer } from '@heddle/base';
import type { RequestHead } from '../http1/request-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { ServerExchange } from '../http1/server-exchange.ts';
import { type AdminHandler, type AdminResponse, BadAdminRequest, textResponse } from './admin-message.ts';

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

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
function refusal(head: RequestHead, isUnixSocket: boolean): string | null {
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
  private readonly server: ServerConnection;
  private readonly options: AdminExchangeOptions;
  private response: AdminResponse | Promise<AdminResponse> | null = null;
  private isHead = false;
  private isGone = false;
  /** What is left of a body in parts. */
  private parts: Iterator<string> | null = null;
  private pause: Timer | null = null;

  constructor(server: ServerConnection, options: AdminExchangeOptions) {
    this.server = server;
    this.options = options;
  }

  onRequestHead(head: RequestHead): void {
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

  onConnectionClosed(): void {
    this.abandon();
  }

  onIdle(): void {
    // Nothing is kept.
  }

  ownReplyLines(): string {
    return '';
  }

  onRejected(): void {
    // The connection has answered.
  }

  private abandon(): void {
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
    const framing = bytes === null ? 'transfer-encoding: chunked' : `content-length: ${bytes.length}`;
    const close = this.server.isLast ? 'connection: close\r\n' : '';
    this.server.writeHead(
      `HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}\r\ncontent-type: ${contentType}\r\n${framing}\r\n` +
        `cache-control: no-cache, max-age=0\r\nx-content-type-options: nosniff\r\n${close}\r\n`,
    );
    if (this.isHead) {
      this.server.endResponse();
    } else if (bytes !== null) {
      this.server.writeBody(bytes, 0, bytes.length);
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
    if (bytes.length > 0) this.server.writeText(`${bytes.length.toString(16)}\r\n`);
    const isTaken = bytes.length === 0 || this.server.writeBody(bytes, 0, bytes.length);
    if (bytes.length > 0) this.server.writeText('\r\n');
    if (isDone) {
      this.parts = null;
      this.server.writeText('0\r\n\r\n');
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
  if (error instanceof BadAdminRequest) return textResponse(error.message, 400);
  return textResponse(`${errorMessage(error)}\n`, 500);
}
