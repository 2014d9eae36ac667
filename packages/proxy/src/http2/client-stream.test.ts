import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResponseKind, type UpstreamExchange, type UpstreamFailure } from '../codec/client-stream.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BodyKind, type ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import { requestFromText } from '../http1/message-from-text.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag } from './frame.ts';
import type { Http2Options } from './http2-options.ts';
import { RawPeer, data, headers, rstStream, settings, settingsAck, windowUpdate } from './test-peer.ts';
import { testSettings } from './test-servers.ts';
import { Http2UpstreamConnection } from './upstream-connection.ts';

/** Writes down what it is told. */
class Exchange implements UpstreamExchange {
  readonly events: string[] = [];
  failure: UpstreamFailure | null = null;
  head: ResponseHeadView | null = null;
  onBody: () => void = () => undefined;

  take(): string[] {
    return this.events.splice(0);
  }
  onResponseHead(head: ResponseHeadView): void {
    this.head = head;
    this.events.push(`head ${head.status} ${Object.keys(BodyKind)[head.bodyKind]}`);
  }
  onInterimResponse(head: ResponseHeadView): void {
    this.events.push(`interim ${head.status}`);
  }
  onUpgraded(head: ResponseHeadView): void {
    this.head = head;
    this.events.push(`upgraded ${head.status}`);
  }
  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.events.push(`body ${buffer.toString('latin1', start, end)}`);
    this.onBody();
  }
  onResponseTrailers(fields: FieldList): void {
    this.events.push(`trailers ${fields.lines().trim()}`);
  }
  onResponseEnd(): void {
    this.events.push('end');
  }
  onResponsePause(): void {
    this.events.push('pause');
  }
  onRequestDrain(): void {
    this.events.push('drain');
  }
  onUpstreamFailed(failure: UpstreamFailure): void {
    this.failure = failure;
    this.events.push(`failed ${failure.kind} ${failure.detail} ${failure.beforeResponse}`);
  }
}

function world(
  options: Partial<Http2Options> = {},
  said: readonly (readonly [number, number])[] | null = [],
) {
  const peer = new RawPeer();
  const ended: number[] = [];
  const owner = {
    onConnected: () => undefined,
    onExchangeEnded: (ending: number) => void ended.push(ending),
    onAvailable: () => undefined,
    onGone: () => undefined,
  };
  const memory = { expectedStreams: 100, sawLimit: () => undefined };
  const connection = new Http2UpstreamConnection(owner, testSettings(options), peer.context, memory);
  connection.attach(peer.transport);
  peer.attach(connection.handler);
  connection.handler.onConnect();
  if (said !== null) peer.send(settings(...said), settingsAck);
  peer.received();
  const send = (request: OutgoingRequest, asked: number = ResponseKind.usual) => {
    const exchange = new Exchange();
    const stream = connection.openStream();
    const isWritable = stream.sendHead(exchange, request, asked);
    return { exchange, stream, isWritable };
  };
  return { peer, connection, ended, send };
}

const get = (): OutgoingRequest => requestFromText('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
const post = (): OutgoingRequest => {
  const request = requestFromText('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
  request.bodyKind = BodyKind.untilEnd;
  return request;
};
const bytes = (text: string): [Buffer, number, number] => [Buffer.from(text), 0, text.length];
const ok = (id: number, flags = 0): Buffer => headers(id, [[':status', '200']], flags);

describe('a request', () => {
  it('without a body is one frame', () => {
    const { peer, send } = world();
    send(get()).stream.endRequest();
    assert.deepEqual(peer.received(), ['HEADERS 1 :method=GET :scheme=http :authority=a :path=/ END']);
  });

  it('ends with its last bytes', () => {
    const { peer, send } = world();
    const { stream } = send(post());
    stream.sendBody(...bytes('hi'));
    stream.endRequest();
    assert.deepEqual(peer.received(), [
      'HEADERS 1 :method=POST :scheme=http :authority=a :path=/',
      'DATA 1 hi END',
    ]);
  });

  it('ends with its trailers', () => {
    const { peer, send } = world();
    const { stream } = send(post());
    stream.sendTrailers(FieldList.of(new Field('x-sum', '1')));
    stream.endRequest();
    assert.deepEqual(peer.received().slice(1), ['HEADERS 1 x-sum=1 END']);
  });

  it('carries of added fields those that HTTP/2 knows', () => {
    const { peer, send } = world();
    const request = get();
    request.added.add(new Field('te', 'trailers'));
    request.added.add(new Field('te', 'gzip'));
    request.added.add(new Field('connection', 'close'));
    request.added.add(new Field('x-a', '1'));
    send(request);
    assert.match(peer.received()[0]!, / :path=\/ te=trailers x-a=1 END$/);
  });

  it('waits for the peer’s window, and says when it takes more', () => {
    const { peer, send } = world({}, [[4, 10]]);
    const { stream, exchange } = send(post());
    assert.equal(stream.sendBody(Buffer.alloc(100_000), 0, 100_000), false);
    assert.deepEqual(peer.received().slice(1), ['DATA 1 '.concat('\0'.repeat(10)).trim()]);
    peer.send(windowUpdate(1, 90_000), windowUpdate(0, 90_000));
    assert.deepEqual(exchange.take(), ['drain']);
  });
});

describe('a response', () => {
  it('is told as it comes, and what was read at once ends with a pause', () => {
    const { peer, send, ended } = world();
    const { exchange } = send(get());
    peer.send(headers(1, [[':status', '103']]), ok(1), data(1, 'a'), data(1, 'b'));
    assert.deepEqual(exchange.take(), ['interim 103', 'head 200 untilEnd', 'body a', 'body b', 'pause']);
    peer.send(data(1, 'c'));
    assert.deepEqual(exchange.take(), ['body c', 'pause']);
    assert.deepEqual(ended, []);
    peer.send(headers(1, [['x-sum', '1']], FrameFlag.endStream));
    assert.deepEqual(exchange.take(), ['trailers x-sum: 1', 'end']);
    assert.deepEqual(ended, [0]);
  });

  it('of which only the head has come goes on without the rest', () => {
    const { peer, send } = world();
    const { exchange } = send(get());
    peer.send(ok(1));
    assert.deepEqual(exchange.take(), ['head 200 untilEnd', 'pause']);
  });

  it('that comes whole is told without a pause', () => {
    const { peer, send } = world();
    const { exchange } = send(get());
    peer.send(ok(1), data(1, 'a', FrameFlag.endStream));
    assert.deepEqual(exchange.take(), ['head 200 untilEnd', 'body a', 'end']);
  });

  it('gives the peer no more room while nobody takes it', () => {
    const { peer, send } = world({ initialStreamWindowSize: 65_535 });
    const { stream, exchange } = send(get());
    exchange.onBody = () => stream.pauseResponse();
    peer.received();
    peer.send(ok(1), data(1, 'x'.repeat(16_000)), data(1, 'x'.repeat(16_000)), data(1, 'x'.repeat(16_000)));
    const ofStream = (): string[] => peer.received().filter((text) => text.startsWith('WINDOW_UPDATE 1'));
    assert.deepEqual(ofStream(), []);
    stream.resumeResponse();
    assert.deepEqual(ofStream(), ['WINDOW_UPDATE 1 48000']);
  });

  it('before the end of the request ends the stream', () => {
    const { peer, send, ended } = world();
    const { exchange, stream } = send(post());
    peer.received();
    peer.send(ok(1, FrameFlag.endStream));
    assert.deepEqual(exchange.take(), ['head 200 none', 'end']);
    assert.deepEqual(peer.received(), ['RST_STREAM 1 CANCEL']);
    assert.deepEqual(ended, [1]);
    assert.equal(stream.sendBody(...bytes('late')), false);
    stream.endRequest();
    assert.deepEqual(peer.received(), []);
  });

  it('says to HTTP/1.1 that there is no body where it has none', () => {
    const filter = new Uint8Array(64);
    const lines = (
      asked: number,
      status: string,
      ...fields: readonly (readonly [string, string])[]
    ): string => {
      const { peer, send } = world();
      const method = asked === ResponseKind.head ? 'HEAD' : 'GET';
      const { exchange } = send(requestFromText(`${method} / HTTP/1.1\r\nhost: a\r\n\r\n`), asked);
      peer.send(headers(1, [[':status', status], ...fields], FrameFlag.endStream));
      return exchange.head!.http1Lines('HTTP/1.1', filter, null);
    };
    assert.equal(lines(ResponseKind.usual, '404'), 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n');
    assert.equal(lines(ResponseKind.usual, '204'), 'HTTP/1.1 204 No Content\r\n');
    assert.equal(lines(ResponseKind.usual, '204', ['content-length', '0']), 'HTTP/1.1 204 No Content\r\n');
    assert.equal(lines(ResponseKind.usual, '304'), 'HTTP/1.1 304 Not Modified\r\n');
    assert.equal(lines(ResponseKind.head, '200'), 'HTTP/1.1 200 OK\r\n');
    assert.equal(
      lines(ResponseKind.head, '200', ['content-length', '5']),
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n',
    );
  });
});

describe('a stream that is cut off', () => {
  const failureOf = (cut: (peer: RawPeer) => void): string => {
    const { peer, send } = world();
    const { exchange } = send(get());
    cut(peer);
    return exchange.take().at(-1)!;
  };

  it('fails by what the peer said', () => {
    assert.equal(
      failureOf((peer) => peer.send(rstStream(1, ErrorCode.cancel))),
      'failed remote-reset http2.remote_reset true',
    );
    assert.equal(
      failureOf((peer) => peer.send(rstStream(1, ErrorCode.refusedStream))),
      'failed refused http2.remote_refuse true',
    );
    assert.equal(
      failureOf((peer) => peer.send(ok(1), rstStream(1, ErrorCode.noError))),
      'failed remote-reset http2.remote_reset false',
    );
  });

  it('fails by what became of its connection', () => {
    assert.equal(
      failureOf((peer) => peer.close()),
      'failed connection-termination connection closed true',
    );
    assert.match(
      failureOf((peer) => peer.send(data(0, 'x'))),
      /^failed protocol-error /,
    );
  });

  it('fails for a message that is none', () => {
    const bad = headers(1, [[':status', 'x']]);
    assert.match(
      failureOf((peer) => peer.send(bad)),
      /^failed protocol-error /,
    );
  });

  for (const status of ['103', '204']) {
    it(`fails for ${status} with a length`, () => {
      const bad = headers(1, [
        [':status', status],
        ['content-length', '3'],
      ]);
      assert.match(
        failureOf((peer) => peer.send(bad)),
        /^failed protocol-error /,
      );
    });
  }

  it('tells nothing more once it is given up', () => {
    const { peer, send, ended } = world();
    const { exchange, stream } = send(get());
    peer.send(ok(1));
    exchange.take();
    stream.abandon();
    peer.send(data(1, 'late'), rstStream(1, ErrorCode.cancel));
    assert.deepEqual(exchange.take(), []);
    assert.deepEqual(ended, [1]);
  });
});

describe('an upgrade', () => {
  const ask = (): OutgoingRequest => {
    const request = requestFromText(
      'GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 0\r\n\r\n',
    );
    request.upgrade = 'websocket';
    return request;
  };
  const connect = 'HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :authority=a :path=/chat';

  it('is asked for once the peer has said that it takes one, with what follows', () => {
    const { peer, send } = world({}, null);
    const { stream, exchange, isWritable } = send(ask(), ResponseKind.upgrade);
    assert.equal(isWritable, false);
    assert.equal(stream.sendBody(...bytes('early')), false);
    stream.endRequest();
    assert.deepEqual(peer.received(), []);
    peer.send(settings([8, 1]), settingsAck);
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK', connect, 'DATA 1 early']);
    assert.deepEqual(exchange.take(), ['drain']);
    peer.send(ok(1));
    assert.deepEqual(exchange.take(), ['upgraded 101']);
    assert.equal(exchange.head!.upgradeLines(), 'upgrade: websocket\r\nconnection: upgrade\r\n');
  });

  it('is not sent to a peer that takes none', () => {
    const { peer, send, ended } = world({}, null);
    const { exchange } = send(ask(), ResponseKind.upgrade);
    peer.send(settings(), settingsAck);
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK']);
    assert.match(exchange.take()[0]!, /^failed refused /);
    assert.deepEqual(ended, [1]);
  });

  it('carries the bytes of a tunnel both ways, to the end of either', () => {
    const { peer, send, ended } = world({}, [[8, 1]]);
    const { stream, exchange } = send(ask(), ResponseKind.upgrade);
    assert.deepEqual(peer.received(), [connect]);
    const told: string[] = [];
    exchange.onUpgraded = () => {
      const tunnel = stream.startTunnel({
        onConnect: () => undefined,
        onData: (buffer, start, end) => void told.push(buffer.toString('latin1', start, end)),
        onEnd: () => {
          told.push('END');
          tunnel.end();
        },
        onDrain: () => undefined,
        onClose: (error) => void told.push(`closed ${error?.kind ?? 'in order'}`),
      });
      tunnel.write(...bytes('up'));
    };
    peer.send(ok(1), data(1, 'down', FrameFlag.endStream));
    assert.deepEqual(peer.received(), ['DATA 1 up END']);
    assert.deepEqual(told, ['down', 'END', 'closed in order']);
    assert.deepEqual(ended, [0]);
  });
});
