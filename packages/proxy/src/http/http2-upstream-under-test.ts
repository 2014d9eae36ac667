import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type RequestOptions, request as requestHttp1 } from 'node:http';
import {
  type ClientHttp2Stream,
  type Http2Server,
  type IncomingHttpHeaders as IncomingHttp2Headers,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
  connect,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type ProxyOptions, type ProxyUnderTest, startProxy } from './proxy-under-test.ts';

/** An answer, whichever HTTP it came by. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | IncomingHttp2Headers;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** Statuses of interim responses. */
  readonly interim: readonly number[];
}

export interface RequestToSend {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
}

type Ask = (request?: RequestToSend) => Promise<Answer>;

export interface Http2Upstream {
  readonly proxy: ProxyUnderTest;
  readonly server: Http2Server;
  /** Of the proxy's connections, in the order in which they came. */
  readonly sessions: ServerHttp2Session[];
  readonly http1: Ask;
  readonly http2: Ask;
  /** A stream to the proxy. */
  readonly open: (headers: OutgoingHttpHeaders, endStream?: boolean) => ClientHttp2Stream;
}

/** A proxy in front of a server of HTTP/2, and clients of both kinds. */
export async function startHttp2Upstream(
  t: { after(fn: () => unknown): void },
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttp2Headers) => void,
  options: Partial<ProxyOptions> & { readonly backend?: ServerOptions } = {},
): Promise<Http2Upstream> {
  const sessions: ServerHttp2Session[] = [];
  const server = createServer(options.backend ?? {});
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream as ServerHttp2Stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startProxy({ ports: [port], protocol: 'http2', ...options });
  const agent = new Agent({ keepAlive: true });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  session.on('error', () => undefined);
  t.after(async () => {
    agent.destroy();
    session.destroy();
    for (const one of sessions) one.destroy();
    server.close();
    await proxy.close();
  });
  const open = (headers: OutgoingHttpHeaders, endStream = false): ClientHttp2Stream => {
    const stream = session.request(
      { ':authority': 'a', ...headers },
      { endStream, waitForTrailers: !endStream },
    );
    stream.on('error', () => undefined);
    return stream;
  };
  return {
    proxy,
    server,
    sessions,
    open,
    http1: (request = {}) => askByHttp1({ host: '127.0.0.1', port: proxy.port, agent }, request),
    http2: (request = {}) => askByHttp2(open, request),
  };
}

async function askByHttp1(to: RequestOptions, { method, path, headers, body, trailers }: RequestToSend) {
  const request = requestHttp1({
    ...to,
    method: method ?? 'GET',
    path: path ?? '/',
    headers: { host: 'a', ...headers },
  });
  const interim: number[] = [];
  request.on('information', ({ statusCode }) => interim.push(statusCode));
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end(body);
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode as number,
    headers: response.headers as IncomingHttpHeaders,
    body: Buffer.concat(chunks),
    trailers: response.trailers as Record<string, unknown>,
    interim,
  };
}

async function askByHttp2(
  open: Http2Upstream['open'],
  { method, path, headers, body, trailers }: RequestToSend,
): Promise<Answer> {
  const stream = open(
    { ':method': method ?? 'GET', ':path': path ?? '/', ...headers },
    body === undefined && trailers === undefined,
  );
  return answerOf(stream, body, trailers);
}

/** Sends the rest of a request and waits for all that comes in answer. Status 0 where nothing does. */
export async function answerOf(
  stream: ClientHttp2Stream,
  body?: string | Buffer,
  trailers?: Readonly<Record<string, string>>,
): Promise<Answer> {
  stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
  if (!stream.writableEnded) stream.end(body);
  let headers: IncomingHttp2Headers = {};
  let received: IncomingHttp2Headers = {};
  const interim: number[] = [];
  const chunks: Buffer[] = [];
  stream.on('headers', (fields: IncomingHttp2Headers) => interim.push(Number(fields[':status'])));
  stream.on('response', (fields: IncomingHttp2Headers) => {
    headers = fields;
  });
  stream.on('trailers', (fields: IncomingHttp2Headers) => {
    received = fields;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once('close', resolve));
  const status = Number(headers[':status'] ?? 0);
  return { status, headers, body: Buffer.concat(chunks), trailers: received, interim };
}
