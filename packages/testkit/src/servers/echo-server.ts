import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type TestServer, listenLocally } from './test-server.ts';

/** What the echo server saw of a request: the JSON of its response. */
export interface EchoedRequest {
  /** The name the server was given, to tell instances apart. */
  readonly server: string;
  readonly method: string;
  /** Path and query as received. */
  readonly target: string;
  readonly httpVersion: string;
  /** Names and values as received, one after the other, duplicates included. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string | undefined>>;
}

/**
 * An HTTP/1.1 server that answers each request with what it saw of it. `?status=503` chooses the status,
 * `?size=1000` answers with that many bytes instead, `?delay=50` waits that many milliseconds first.
 */
export function startEchoServer(name = 'echo'): Promise<TestServer> {
  return listenLocally(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => answer(name, request, response, Buffer.concat(chunks)));
    }),
  );
}

function answer(name: string, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const target = request.url ?? '';
  const query = new URL(target, 'http://echo').searchParams;
  const send = (): void => {
    const status = Number(query.get('status') ?? 200);
    const size = query.get('size');
    if (size !== null) {
      response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': size });
      response.end(Buffer.alloc(Number(size), 'x'));
      return;
    }
    const seen: EchoedRequest = {
      server: name,
      method: request.method ?? '',
      target,
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      body: body.toString('latin1'),
      trailers: request.trailers,
    };
    const text = JSON.stringify(seen);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  const delay = Number(query.get('delay') ?? 0);
  if (delay > 0) setTimeout(send, delay);
  else send();
}
