import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2ClientConnection } from './client-connection.ts';
import { connected, response } from './connections-under-test.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag, FrameType, maxUint31 } from './frame.ts';
import { RecordingHandler } from './test-handler.ts';
import { RawPeer, counted, data, frame, headers, rstStream, settings, uint32 } from './test-peer.ts';
import { fieldsOf, testSettings } from './test-servers.ts';

const end = FrameFlag.endStream;
const getText = ':method=GET :scheme=http :path=/ :authority=a';
const goaway = (lastStreamId: number, code: number = ErrorCode.noError): Buffer =>
  frame(FrameType.goaway, 0, 0, uint32(lastStreamId, code));

/** A client that is not connected yet. */
function connecting(onConnected: () => void = () => undefined): {
  readonly peer: RawPeer;
  readonly client: Http2ClientConnection;
} {
  const peer = new RawPeer();
  const owner = {
    onConnected,
    onSettings: () => undefined,
    onReadEnd: () => undefined,
    onCapacity: () => undefined,
    onGoingAway: () => undefined,
    onFault: () => undefined,
    onGone: () => undefined,
  };
  const client = peer.attach(new Http2ClientConnection(owner, testSettings(), peer.context));
  client.attach(peer.transport);
  return { peer, client };
}

describe('the start of a connection', () => {
  it('says its preface, its settings and what it was asked to send in one write', () => {
    const handler = new RecordingHandler();
    const { peer, client } = connecting(() => {
      const fields = fieldsOf([':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'a']);
      client.openStream(handler)!.sendHeaders(fields, true);
    });
    assert.equal(client.openStream(handler), null, 'not before it is connected');
    client.onConnect();
    peer.clock.advance(0);
    assert.equal(peer.transport.writes.length, 1);
    assert.deepEqual(peer.received(), [
      'PREFACE',
      'SETTINGS 0',
      `WINDOW_UPDATE 0 ${24 * 1024 * 1024 - 65_535}`,
      `HEADERS 1 ${getText} END`,
    ]);
  });
});

describe('a request and its response', () => {
  it('are sent and told in their parts', () => {
    const { peer, client, request, events } = connected();
    const handler = request(false, 'POST');
    handler.stream!.sendData(Buffer.from('abc'), 0, 3, false);
    handler.stream!.sendTrailers(fieldsOf(['x-sum', '1']));
    assert.deepEqual(peer.received(), [
      `HEADERS 1 ${getText.replace('GET', 'POST')}`,
      'DATA 1 abc',
      'HEADERS 1 x-sum=1 END',
    ]);
    peer.send(response(1, '103', 0), response(1, '200', 0), data(1, 'de'), data(1, 'f'));
    peer.send(headers(1, [['grpc-status', '0']], end));
    assert.deepEqual(handler.take(), [
      'informational :status=103',
      'headers :status=200',
      'data def',
      'trailers grpc-status=0',
      'end',
      'closed',
    ]);
    assert.equal(client.openStreams, 0);
    assert.deepEqual(events, ['capacity']);
  });

  it('are numbered in the order in which heads leave', () => {
    const { peer, client } = connected();
    const first = client.openStream(new RecordingHandler())!;
    const second = client.openStream(new RecordingHandler())!;
    assert.equal(client.openStreams, 2);
    second.sendHeaders(fieldsOf([':method', 'B']), true);
    first.sendHeaders(fieldsOf([':method', 'A']), true);
    assert.deepEqual(peer.received(), ['HEADERS 1 :method=B END', 'HEADERS 3 :method=A END']);
  });

  it('may end before the request does', () => {
    const { peer, request } = connected();
    const handler = request(false, 'POST');
    peer.send(response(1), rstStream(1, ErrorCode.noError));
    assert.deepEqual(handler.take(), ['headers :status=200 END', 'end', 'reset remote 0 http2.remote_reset']);
  });

  const bodiless: readonly (readonly [string, string])[] = [
    ['HEAD', '200'],
    ['GET', '304'],
  ];
  for (const [method, status] of bodiless) {
    it(`has no body where ${method} is answered by ${status}, whatever its length says`, () => {
      const { peer, request } = connected();
      const good = request(true, method);
      peer.send(
        headers(
          1,
          [
            [':status', status],
            ['content-length', '5'],
          ],
          end,
        ),
      );
      assert.deepEqual(good.take().at(-1), 'closed');
      const bad = request(true, method);
      peer.send(
        headers(3, [
          [':status', status],
          ['content-length', '5'],
        ]),
        data(3, 'hallo', end),
      );
      assert.match(bad.take().at(-1)!, /^reset local 1/);
    });
  }

  it('has no length where CONNECT is answered by 200', () => {
    const { peer, request } = connected();
    const handler = request(false, 'CONNECT');
    peer.send(
      headers(1, [
        [':status', '200'],
        ['content-length', '0'],
      ]),
      data(1, 'through'),
    );
    assert.deepEqual(handler.take(), ['headers :status=200 content-length=0', 'data through']);
  });
});

describe('responses that are none', () => {
  const cases: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ['no status', [headers(1, [['server', 'x']], end)]],
    ['a status of four digits', [response(1, '2000')]],
    ['101, which HTTP/2 does not have', [response(1, '101', 0)]],
    ['an interim response that ends it', [response(1, '100')]],
    [
      'a request’s path',
      [
        headers(
          1,
          [
            [':status', '200'],
            [':path', '/'],
          ],
          end,
        ),
      ],
    ],
    [
      'fields about a connection',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['connection', 'close'],
          ],
          end,
        ),
      ],
    ],
    [
      'less than its length',
      [
        headers(1, [
          [':status', '200'],
          ['content-length', '5'],
        ]),
        data(1, 'abc', end),
      ],
    ],
    [
      'a length and no body',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['content-length', '5'],
          ],
          end,
        ),
      ],
    ],
    ['a body before its head', [data(1, 'abc')]],
    ['a second head', [response(1, '200', 0), response(1, '200', 0)]],
    ['seventeen interim responses', Array.from({ length: 17 }, () => response(1, '102', 0))],
  ];
  for (const [what, frames] of cases) {
    it(`are reset for ${what}`, () => {
      const { peer, request } = connected();
      const handler = request();
      peer.received();
      peer.send(...frames);
      assert.match(handler.take().at(-1)!, /^reset local 1 /);
      assert.deepEqual(peer.received(), ['RST_STREAM 1 PROTOCOL_ERROR']);
    });
  }

  it('are reset for a list that is too long', () => {
    const { peer, request, settings: all } = connected({ maxHeaderListBytes: 100 });
    const handler = request();
    peer.received();
    peer.send(
      headers(
        1,
        [
          [':status', '200'],
          ['x', 'y'.repeat(100)],
        ],
        end,
      ),
    );
    assert.deepEqual(handler.take(), ['reset local 2 http2.too_many_headers before a response']);
    assert.equal(counted(all)['headerOverflow'], 1);
  });
});

describe('how many streams may be open', () => {
  it('is what the peer says, if that is less than our own limit', () => {
    const { peer, client, request, events } = connected({ maxConcurrentStreams: 3 }, [[3, 2]]);
    const first = request();
    request();
    assert.equal(client.openStream(first), null);
    peer.send(response(1));
    assert.deepEqual(events, ['capacity']);
    request();
    peer.send(settings([3, 10]));
    assert.deepEqual(events, ['capacity', 'capacity']);
    request();
    assert.equal(client.maxStreams, 3);
    assert.equal(client.openStream(first), null);
  });

  it('is a hundred before the server has said anything', () => {
    const { peer, client } = connecting();
    client.onConnect();
    assert.equal(client.maxStreams, 100);
    peer.send(settings());
    assert.equal(client.maxStreams, 1024);
  });

  it('counts streams that have said nothing, until they are given up', () => {
    const { client, events, peer } = connected({}, [[3, 1]]);
    const handler = new RecordingHandler();
    const stream = client.openStream(handler)!;
    assert.equal(client.openStream(handler), null);
    stream.reset(ErrorCode.cancel);
    assert.deepEqual(peer.received(), []);
    assert.deepEqual(events, ['capacity']);
    assert.notEqual(client.openStream(handler), null);
  });

  it('ends with the numbers', () => {
    const { peer, client, request, events } = connected();
    // As if so many had been opened.
    (client as unknown as { nextStreamId: number }).nextStreamId = maxUint31;
    const handler = request();
    assert.equal(client.openStream(handler), null);
    assert.deepEqual(events, ['going away']);
    assert.deepEqual(peer.received(), [`HEADERS ${maxUint31} ${getText} END`]);
    peer.send(response(maxUint31));
    assert.ok(peer.transport.isDestroyed, 'it is of no more use');
  });
});

describe('a server that goes away', () => {
  it('says which requests it has not looked at: they may be sent again', () => {
    const { peer, client, request, events } = connected();
    const first = request();
    const second = request();
    const unsent = new RecordingHandler();
    client.openStream(unsent);
    second.onEvent = () => events.push('refused');
    peer.send(goaway(1, ErrorCode.enhanceYourCalm));
    assert.deepEqual(events, ['going away', 'refused']);
    assert.deepEqual(second.take(), ['reset refused 7 http2.goaway before a response']);
    assert.deepEqual(unsent.take(), ['reset refused 7 http2.goaway before a response']);
    assert.equal(client.openStream(first), null);
    assert.equal(peer.transport.isDestroyed, false);
    peer.send(response(1));
    assert.deepEqual(first.take(), ['headers :status=200 END', 'end', 'closed']);
    assert.ok(peer.transport.isDestroyed, 'closed once the last stream has');
    peer.close();
    assert.deepEqual(events, ['going away', 'refused', 'gone']);
  });

  it('announces it first: no new streams, the others go on', () => {
    const { peer, client, request } = connected();
    const handler = request();
    peer.send(goaway(maxUint31));
    assert.deepEqual(handler.take(), []);
    assert.ok(client.isGoingAway);
    assert.equal(client.openStream(handler), null);
    peer.send(goaway(1), response(1));
    assert.equal(handler.take().at(-1), 'closed');
  });

  it('refuses a single request, too', () => {
    const { peer, request, settings: all } = connected();
    const handler = request();
    peer.send(rstStream(1, ErrorCode.refusedStream));
    assert.deepEqual(handler.take(), ['reset refused 7 http2.remote_refuse before a response']);
    assert.deepEqual(counted(all), { resetsReceived: 1, streamsRefused: 1 });
  });

  it('closes: requests are lost, those that had an answer not before it', () => {
    const { peer, client, request, events } = connected();
    const silent = request();
    const answered = request();
    const unsent = new RecordingHandler();
    client.openStream(unsent);
    peer.send(response(3, '200', 0));
    client.onEnd();
    assert.ok(peer.transport.isDestroyed);
    peer.close();
    assert.deepEqual(silent.take(), ['reset connectionLost 8 connection closed before a response']);
    assert.deepEqual(answered.take(), ['headers :status=200', 'reset connectionLost 8 connection closed']);
    assert.deepEqual(unsent.take(), ['reset connectionLost 8 connection closed before a response']);
    assert.deepEqual(events, ['gone']);
  });
});

describe('a drain', () => {
  it('closes after the last stream', () => {
    const { peer, client, request } = connected();
    const handler = request();
    client.drain();
    peer.received();
    assert.equal(peer.transport.isDestroyed, false);
    assert.equal(client.openStream(handler), null);
    peer.send(response(1));
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=0 NO_ERROR']);
    assert.ok(peer.transport.isDestroyed);
  });

  it('takes no stream once its peer has closed its side', () => {
    const { peer, client } = connected();
    client.onEnd();
    assert.ok(peer.transport.hasEnded);
    assert.equal(client.isConnected, false);
    assert.equal(client.openStream(new RecordingHandler()), null);
  });

  it('closes an idle connection at once', () => {
    const { peer, client } = connected();
    client.drain();
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=0 NO_ERROR']);
    assert.ok(peer.transport.isDestroyed);
  });
});

describe('what a server may not send', () => {
  const cases: readonly (readonly [string, string, Uint8Array])[] = [
    ['a push', 'PROTOCOL_ERROR', frame(FrameType.pushPromise, 4, 1, uint32(2))],
    ['that it takes pushes', 'PROTOCOL_ERROR', settings([2, 1])],
    ['a stream of its own', 'PROTOCOL_ERROR', headers(2, [[':status', '200']], end)],
    ['an answer that nobody has asked for', 'PROTOCOL_ERROR', headers(3, [[':status', '200']], end)],
    ['a body that nobody has asked for', 'PROTOCOL_ERROR', data(3, 'x')],
  ];
  for (const [what, code, bytes] of cases) {
    it(`${what}: ${code}`, () => {
      const { peer, request } = connected();
      const handler = request();
      peer.received();
      assert.deepEqual(peer.send(bytes).received(), [`GOAWAY 0 last=0 ${code}`]);
      assert.match(handler.take().at(-1)!, /^reset connectionError 1 /);
      assert.ok(peer.transport.isDestroyed);
    });
  }
});

it('tells whether extended CONNECT is taken once it is known', () => {
  const { client } = connected({}, [[8, 1]]);
  assert.equal(client.takesExtendedConnect, true);
  assert.equal(connected().client.takesExtendedConnect, false);
  assert.equal(connecting().client.takesExtendedConnect, null);
});
