// The upstream of one side where it speaks HTTP/2: records what it is sent and answers as the case says.
import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createSecureServer,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { DifferentialCase, SeenMessage, StreamAnswer } from './case.ts';
import type { Certificate } from './certificates.ts';
import { Changes } from './changes.ts';
import { linesOf, seenFields } from './message-reader.ts';
import { type UpstreamServer, probePath } from './upstream.ts';

const plainAnswer: StreamAnswer = {
  fields: { ':status': '200', 'x-upstream': 'yes', 'content-length': '5' },
  body: 'hello',
};

export class Http2Upstream implements UpstreamServer {
  readonly port: number;
  readonly changes = new Changes();
  requests: SeenMessage[] = [];
  heads = 0;
  bytes = '';
  private readonly whenClosed: () => Promise<void>;
  private script: readonly StreamAnswer[] = [plainAnswer];
  private readonly sessions: Set<ServerHttp2Session>;

  private constructor(port: number, sessions: Set<ServerHttp2Session>, whenClosed: () => Promise<void>) {
    this.port = port;
    this.sessions = sessions;
    this.whenClosed = whenClosed;
  }

  /** `certificate`: what it shows over TLS; null for plain connections. */
  static async start(certificate: Certificate | null): Promise<Http2Upstream> {
    const options = { settings: { enableConnectProtocol: true } };
    const server =
      certificate === null ? createServer(options) : createSecureServer({ ...options, ...certificate });
    const sessions = new Set<ServerHttp2Session>();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upstream = new Http2Upstream(port, sessions, async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    });
    server.on('session', (session) => {
      sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => sessions.delete(session));
    });
    server.on('stream', (stream, headers) => upstream.serve(stream as ServerHttp2Stream, headers));
    return upstream;
  }

  begin({ streams = [plainAnswer] }: DifferentialCase): void {
    this.requests = [];
    this.heads = 0;
    this.bytes = '';
    this.script = streams;
  }

  end(): void {
    for (const session of this.sessions) session.destroy();
  }

  close(): Promise<void> {
    return this.whenClosed();
  }

  private serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined);
    if (headers[':path'] === probePath) {
      this.answer(stream, plainAnswer);
      stream.resume();
      return;
    }
    const answer = this.script[Math.min(this.heads, this.script.length - 1)]!;
    this.heads++;
    if (answer.when === 'head') this.answer(stream, answer);
    this.changes.tell();
    let body = '';
    let trailers: string[] = [];
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
      if (answer.afterwards !== 'echo') return;
      this.bytes += chunk.toString('latin1');
      stream.write(chunk);
      this.changes.tell();
    });
    stream.on('trailers', (fields: IncomingHttpHeaders) => {
      trailers = seenFields(linesOf(fields));
    });
    stream.on('end', () => {
      if (answer.afterwards === 'echo') {
        stream.end();
        return;
      }
      // That of a stream which was cut off.
      if (stream.rstCode !== 0) return;
      const { ':method': method, ':path': path, ...rest } = headers;
      this.requests.push({
        line: `${method} ${path ?? ''} HTTP/2`,
        fields: seenFields(linesOf(rest)),
        framing: rest['content-length'] === undefined ? (body === '' ? 'none' : 'stream') : 'length',
        body,
        trailers,
      });
      if (answer.when !== 'head') this.answer(stream, answer);
      this.changes.tell();
    });
  }

  private answer(stream: ServerHttp2Stream, answer: StreamAnswer): void {
    const { interim, fields, body, trailers, reset, afterwards } = answer;
    if (stream.destroyed) return;
    if (interim !== undefined) stream.additionalHeaders({ ':status': interim });
    if (fields !== undefined) {
      const endStream = body === undefined && trailers === undefined && reset === undefined;
      const isOpen = afterwards === 'echo' || afterwards === 'destroy';
      stream.respond(
        { ...fields },
        { waitForTrailers: trailers !== undefined, endStream: endStream && !isOpen },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
      if (body !== undefined) stream.write(body, 'latin1');
      if (!endStream && reset === undefined && !isOpen) stream.end();
    }
    // What has been written leaves first.
    if (reset !== undefined && fields !== undefined) setImmediate(() => stream.destroy(new Error('cut off')));
    else if (reset !== undefined) stream.close(reset);
    else if (afterwards === 'goaway') stream.session?.close();
    else if (afterwards === 'destroy') setImmediate(() => stream.session?.destroy());
  }
}
