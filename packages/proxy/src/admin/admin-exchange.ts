// Answers the admin interface's requests over the proxy's own codec: a sidecar loads no second HTTP implementation.
import type { RequestHead } from '../http1/request-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { ServerExchange } from '../http1/server-exchange.ts';

/** One answer. */
export interface AdminResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What an admin path does; null where there is no such path. */
export type AdminHandler = (method: string, path: string, query: URLSearchParams) => AdminResponse | null;

/** Makes plain text of a sentence or a listing. */
export function textResponse(body: string, status = 200): AdminResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
};

/** Hosts that a request may name: a page in a browser must not reach this port under a name of its own (DNS rebinding). */
const allowedHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

export class AdminExchange implements ServerExchange {
  private readonly server: ServerConnection;
  private readonly handle: AdminHandler;
  private response: AdminResponse | null = null;

  constructor(server: ServerConnection, handle: AdminHandler) {
    this.server = server;
    this.handle = handle;
  }

  onRequestHead(head: RequestHead): void {
    if (!allowedHost.test(head.authority)) {
      this.response = textResponse('this interface answers to 127.0.0.1 and localhost only\n', 403);
      return;
    }
    const queryAt = head.path.indexOf('?');
    const path = queryAt < 0 ? head.path : head.path.slice(0, queryAt);
    const query = new URLSearchParams(queryAt < 0 ? '' : head.path.slice(queryAt + 1));
    this.response = this.handle(head.method, path, query) ?? textResponse(`no such path: ${path}\n`, 404);
  }

  onRequestBody(): void {
    // No admin request has a body that matters.
  }

  onRequestEnd(): void {
    const { status, contentType, body } = this.response!;
    const bytes = Buffer.from(body);
    const close = this.server.isLast ? 'connection: close\r\n' : '';
    this.server.writeHead(
      `HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n` +
        `cache-control: no-cache, max-age=0\r\nx-content-type-options: nosniff\r\n${close}\r\n`,
    );
    this.server.writeBody(bytes, 0, bytes.length);
    this.server.endResponse();
  }

  onResponseDrain(): void {
    // Answers are written whole.
  }

  onClientGone(): void {
    // Nothing is held for it.
  }

  onConnectionClosed(): void {
    // Nothing is held for it.
  }

  onRejected(): void {
    // The connection has answered.
  }
}
