// Against a server of Node's: what another implementation makes of our calls. What takes time is in `grpc-client-time.test.ts`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '@heddle/base';
import { RpcCode } from '@heddle/xds';
import { NodeTransport } from '../../transport/node/node-transport.ts';
import { GrpcClient, type GrpcClientOptions } from './grpc-client.ts';
import { frameMessage } from '@heddle/xds/message-framing';
import { OpenedStream } from './calls-under-test.ts';

const grpcHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** A server for one test, in plain HTTP/2, whose every stream is handled by `serve`. */
async function serving(
  context: TestContext,
  serve: (stream: ServerHttp2Stream, path: string) => void,
  options: Partial<GrpcClientOptions> = {},
): Promise<{ client: GrpcClient; server: Http2Server; sessions: ServerHttp2Session[] }> {
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    serve(stream, headers[':path'] ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new GrpcClient({
    transport: new NodeTransport(systemClock, silentLogger),
    address: { host: '127.0.0.1', port },
    security: null,
    clock: systemClock,
    random: systemRandom,
    ...options,
  });
  context.after(() => {
    client.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { client, server, sessions };
}

/** Sends every message back, and ends in order when the client has. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond(grpcHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.pipe(stream);
}

/** Answers with headers only. */
function refuse(code: number, message: string): (stream: ServerHttp2Stream) => void {
  return (stream) => {
    stream.respond(
      { ...grpcHeaders, 'grpc-status': String(code), 'grpc-message': message },
      { endStream: true },
    );
  };
}

describe('gRPC client', () => {
  it('asks the next server where no connection can be made, and stays with one that answers', async (context) => {
    const asked: string[] = [];
    const serve = (name: string) => (stream: ServerHttp2Stream) => {
      asked.push(name);
      refuse(RpcCode.notFound, name)(stream);
    };
    const [first, second] = [await serving(context, serve('first')), await serving(context, serve('second'))];
    const addressOf = (server: Http2Server) => ({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    });
    const client = new GrpcClient({
      transport: new NodeTransport(systemClock, silentLogger),
      address: addressOf(first.server),
      alternatives: [addressOf(second.server)],
      security: null,
      clock: systemClock,
      random: systemRandom,
    });
    context.after(() => client.close());
    const call = async () => (await client.call('/s/m', Buffer.from('x'), 5000)).status.message;
    assert.equal(await call(), 'first');
    assert.equal(await call(), 'first');
    for (const session of first.sessions) session.destroy();
    first.server.close();
    await once(first.server, 'close');
    // Said to whoever calls: it is their pause that lies between.
    assert.match(await call(), /^Cannot connect to 127\.0\.0\.1:\d+: /);
    assert.equal(await call(), 'second');
    assert.equal(await call(), 'second');
    assert.deepEqual(asked, ['first', 'first', 'second', 'second']);
  });

  it('carries messages both ways, and the status of an orderly end', async (context) => {
    const { client } = await serving(context, echo);
    const opened = new OpenedStream(client, '/s/m');
    opened.stream.send(Buffer.from('before the connection'));
    opened.stream.send(Buffer.from(''));
    await opened.until(() => opened.messages.length === 2);
    opened.stream.send(Buffer.from('x'.repeat(100_000)));
    opened.stream.end();
    assert.deepEqual(await opened.ended, { code: RpcCode.ok, message: '' });
    assert.deepEqual(opened.messages, ['before the connection', '', 'x'.repeat(100_000)]);
  });

  it('sends what gRPC demands of a request', async (context) => {
    const seen = Promise.withResolvers<Record<string, unknown>>();
    const { client, server } = await serving(context, refuse(0, ''));
    server.once('stream', (_stream, headers) => seen.resolve({ ...headers }));
    await new OpenedStream(client, '/service/Method').ended;
    const headers = await seen.promise;
    assert.equal(headers[':method'], 'POST');
    assert.equal(headers[':path'], '/service/Method');
    assert.equal(headers['te'], 'trailers');
    assert.match(String(headers['content-type']), /^application\/grpc/);
  });

  it('uses one connection for all streams', async (context) => {
    const { client, sessions } = await serving(context, echo);
    const opened = ['/a', '/b', '/c'].map((path) => new OpenedStream(client, path));
    for (const { stream } of opened) {
      stream.send(Buffer.from('hello'));
      stream.end();
    }
    await Promise.all(opened.map(({ ended }) => ended));
    assert.equal(sessions.length, 1);
  });

  it('reads the status of an answer that has nothing else, its text decoded', async (context) => {
    const { client } = await serving(context, refuse(7, 'not%20you%2C%20%C3%BC'));
    assert.deepEqual(await new OpenedStream(client, '/m').ended, { code: 7, message: 'not you, ü' });
  });

  it('reads the status out of trailers, although the client has not ended', async (context) => {
    const { client } = await serving(context, (stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'nobody' }));
      stream.end(frameMessage(Buffer.from('last words')));
    });
    const opened = new OpenedStream(client, '/m');
    assert.deepEqual(await opened.ended, { code: RpcCode.notFound, message: 'nobody' });
    assert.deepEqual(opened.messages, ['last words']);
  });

  for (const [status, code] of [
    [404, RpcCode.unimplemented],
    [503, RpcCode.unavailable],
    [403, RpcCode.permissionDenied],
    [500, RpcCode.unknown],
  ] as const) {
    it(`makes ${code} of the HTTP status ${status}`, async (context) => {
      const { client } = await serving(context, (stream) =>
        stream.respond({ ':status': status }, { endStream: true }),
      );
      assert.equal((await new OpenedStream(client, '/m').ended).code, code);
    });
  }

  it('does not take for gRPC what is none', async (context) => {
    const { client } = await serving(context, (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<html>');
    });
    const opened = new OpenedStream(client, '/m');
    assert.equal((await opened.ended).code, RpcCode.unknown);
    assert.deepEqual(opened.messages, []);
  });

  it('ends a stream on which a message is too large or compressed', async (context) => {
    const { client } = await serving(
      context,
      (stream, path) => {
        stream.respond(grpcHeaders);
        stream.write(path === '/large' ? frameMessage(new Uint8Array(101)) : Buffer.of(1, 0, 0, 0, 1, 0));
      },
      { maxMessageBytes: 100 },
    );
    assert.equal((await new OpenedStream(client, '/large').ended).code, RpcCode.resourceExhausted);
    assert.equal((await new OpenedStream(client, '/compressed').ended).code, RpcCode.internal);
  });

  it('does not call an end in the middle of a message orderly', async (context) => {
    const { client } = await serving(context, (stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frameMessage(Buffer.from('cut off')).subarray(0, 8));
    });
    assert.equal((await new OpenedStream(client, '/m').ended).code, RpcCode.internal);
  });

  it('reports a stream that is reset, and a connection that is lost, as unavailable, and connects again', async (context) => {
    let count = 0;
    const { client, sessions } = await serving(context, (stream) => {
      count++;
      if (count === 1) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else if (count === 2) stream.session?.destroy();
      else echo(stream);
    });
    assert.equal((await new OpenedStream(client, '/reset').ended).code, RpcCode.unavailable);
    assert.equal((await new OpenedStream(client, '/lost').ended).code, RpcCode.unavailable);
    const again = new OpenedStream(client, '/again');
    again.stream.end();
    assert.equal((await again.ended).code, RpcCode.ok);
    assert.equal(sessions.length, 2);
  });

  it('opens no new stream on a connection that the server is leaving', async (context) => {
    const { client, sessions } = await serving(context, echo);
    const first = new OpenedStream(client, '/1');
    first.stream.send(Buffer.from('hello'));
    await first.until(() => first.messages.length === 1);
    sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR);
    first.stream.send(Buffer.from('still here'));
    await first.until(() => first.messages.length === 2);
    const second = new OpenedStream(client, '/2');
    second.stream.end();
    assert.equal((await second.ended).code, RpcCode.ok);
    assert.equal(sessions.length, 2);
    first.stream.end();
    assert.equal((await first.ended).code, RpcCode.ok);
  });

  it('says why it cannot connect', async (context) => {
    const { client, server } = await serving(context, echo);
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    assert.deepEqual(await new OpenedStream(client, '/m').ended, {
      code: RpcCode.unavailable,
      message: `Cannot connect to 127.0.0.1:${port}: connection refused`,
    });
  });

  it('asks for a pause when the peer does not read, and says when it may go on', async (context) => {
    const { client, server } = await serving(context, () => undefined);
    const accepted = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
    const opened = new OpenedStream(client, '/m');
    opened.stream.send(Buffer.from('first'));
    const [peer] = await accepted;
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (opened.stream.send(chunk)) {
      sent++;
      assert.ok(sent < 1000, 'nothing holds it back');
    }
    assert.equal(opened.writable, 0);
    peer.resume();
    await opened.until(() => opened.writable === 1);
  });

  it('cancels a stream at once, and the server hears it', async (context) => {
    const { client, server } = await serving(context, (stream) => stream.respond(grpcHeaders));
    const accepted = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
    const opened = new OpenedStream(client, '/m');
    const [peer] = await accepted;
    const closed = once(peer, 'close');
    opened.stream.cancel();
    assert.equal((await opened.ended).code, RpcCode.cancelled);
    await closed;
    assert.equal(peer.rstCode, constants.NGHTTP2_CANCEL);
  });

  it('cancels a stream that waits for its connection, after the call has returned', async (context) => {
    const { client, sessions } = await serving(context, echo);
    const opened = new OpenedStream(client, '/m');
    opened.stream.cancel();
    assert.equal((await opened.ended).code, RpcCode.cancelled);
    const other = new OpenedStream(client, '/other');
    other.stream.end();
    assert.equal((await other.ended).code, RpcCode.ok);
    assert.equal(sessions.length, 1);
  });

  it('ends everything when it is closed, and opens nothing afterwards', async (context) => {
    const { client } = await serving(context, echo);
    const opened = new OpenedStream(client, '/m');
    opened.stream.send(Buffer.from('hello'));
    await opened.until(() => opened.messages.length === 1);
    client.close();
    client.close();
    assert.equal((await opened.ended).code, RpcCode.cancelled);
    assert.equal((await new OpenedStream(client, '/late').ended).code, RpcCode.cancelled);
  });
});

describe('unary calls', () => {
  it('returns the one answer', async (context) => {
    const { client } = await serving(context, echo);
    const reply = await client.call('/m', Buffer.from('question'), 5000);
    assert.deepEqual(reply.status, { code: RpcCode.ok, message: '' });
    assert.equal(Buffer.from(reply.message).toString(), 'question');
  });

  it('returns failures as values', async (context) => {
    const { client } = await serving(context, refuse(16, 'who are you'));
    const reply = await client.call('/m', new Uint8Array(0), 5000);
    assert.deepEqual(reply, {
      status: { code: RpcCode.unauthenticated, message: 'who are you' },
      message: new Uint8Array(0),
    });
  });

  it('does not take an orderly end without a message for an answer', async (context) => {
    const { client } = await serving(context, refuse(0, ''));
    assert.equal((await client.call('/m', new Uint8Array(0), 5000)).status.code, RpcCode.internal);
  });
});
