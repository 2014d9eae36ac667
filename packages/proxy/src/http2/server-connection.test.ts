import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer, served } from './connections-under-test.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag, FrameType, clientPreface, maxUint31 } from './frame.ts';
import {
  RawPeer,
  block,
  counted,
  data,
  frame,
  getRequest,
  headers,
  postRequest,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from './test-peer.ts';
import { RecordingHandler } from './test-handler.ts';
import { Http2ServerConnection } from './server-connection.ts';
import { fieldsOf, testSettings } from './test-servers.ts';

const end = FrameFlag.endStream;
const requestLine = ':method=GET :scheme=http :path=/ :authority=a';
const postLine = requestLine.replace('GET', 'POST');

describe('the start of a connection', () => {
  const start = (): { peer: RawPeer; faults: string[] } => {
    const peer = new RawPeer();
    const faults: string[] = [];
    const owner = {
      onStream: () => new RecordingHandler(),
      onBusyChanged: () => undefined,
      onLingering: () => undefined,
      onFault: ({ detail }: { readonly detail: string }) => void faults.push(detail),
      onGone: () => undefined,
    };
    peer.attach(new Http2ServerConnection(peer.transport, owner, testSettings(), peer.context));
    return { peer, faults };
  };

  it('says its settings and its window before it is asked, and acknowledges those of its client', () => {
    const { peer } = start();
    assert.deepEqual(peer.received(), ['SETTINGS 0', `WINDOW_UPDATE 0 ${24 * 1024 * 1024 - 65_535}`]);
    assert.deepEqual(peer.send(clientPreface, settings()).received(), ['SETTINGS 0 ACK']);
  });

  it('ends what does not begin as HTTP/2 does', () => {
    const { peer, faults } = start();
    peer.received();
    assert.deepEqual(peer.send(Buffer.from('GET / HTTP/1.1\r\n\r\n')).received(), [
      'GOAWAY 0 last=0 PROTOCOL_ERROR',
    ]);
    assert.ok(peer.transport.hasEnded);
    assert.deepEqual(faults, ['http2.bad_preface']);
  });

  for (const [what, first] of [
    ['a request', headers(1, getRequest, end)],
    ['the acknowledgement of settings', frame(FrameType.settings, FrameFlag.ack, 0)],
  ] as const) {
    it(`ends what begins with ${what} instead of settings`, () => {
      const { peer, faults } = start();
      peer.received();
      assert.deepEqual(peer.send(clientPreface, first).received(), ['GOAWAY 0 last=0 PROTOCOL_ERROR']);
      assert.deepEqual(faults, ['http2.settings_expected']);
    });
  }
});

describe('a request and its response', () => {
  it('are told and sent in their parts', () => {
    const { peer, stream, events } = served();
    peer.send(headers(1, postRequest), data(1, 'abc'), data(1, 'def'), headers(1, [['x-sum', '1']], end));
    const handler = stream(1);
    assert.deepEqual(handler.take(), [`headers ${postLine}`, 'data abcdef', 'trailers x-sum=1', 'end']);
    handler.stream!.sendInformational(fieldsOf([':status', '103'], ['link', '</a>']));
    handler.stream!.sendHeaders(fieldsOf([':status', '200']), false);
    assert.ok(handler.stream!.sendData(Buffer.from('xhallo'), 1, 6, false));
    handler.stream!.sendTrailers(fieldsOf(['grpc-status', '0']));
    assert.deepEqual(handler.take(), [], 'told once everything is on its way');
    assert.deepEqual(peer.received(), [
      'HEADERS 1 :status=103 link=</a>',
      'HEADERS 1 :status=200',
      'DATA 1 hallo',
      'HEADERS 1 grpc-status=0 END',
    ]);
    assert.deepEqual(handler.take(), ['closed']);
    assert.deepEqual(events, ['busy', 'idle']);
  });

  it('ends with the last frame of it where that is told later', () => {
    const { peer, stream } = served();
    peer.send(headers(1, getRequest, end), headers(3, getRequest, end));
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    stream(1).stream!.endStream();
    stream(3).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    stream(3).stream!.sendData(Buffer.from('a'), 0, 1, false);
    stream(3).stream!.endStream();
    assert.deepEqual(peer.received(), ['HEADERS 1 :status=200 END', 'HEADERS 3 :status=200', 'DATA 3 a END']);
  });

  it('ends with an empty frame where the last one has left', () => {
    const { peer, stream } = served();
    peer.send(headers(1, getRequest, end));
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    assert.deepEqual(peer.received(), ['HEADERS 1 :status=200']);
    stream(1).stream!.endStream();
    assert.deepEqual(peer.received(), ['DATA 1 END']);
  });

  it('takes no frame of another stream for the last one', () => {
    const { peer, stream } = served();
    peer.send(headers(1, getRequest, end), headers(3, getRequest, end));
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    stream(3).stream!.sendHeaders(fieldsOf([':status', '201']), false);
    stream(1).stream!.endStream();
    assert.deepEqual(peer.received(), ['HEADERS 1 :status=200', 'HEADERS 3 :status=201', 'DATA 1 END']);
  });

  it('passes a body on without its padding, and its parts as they come', () => {
    const { peer, stream } = served();
    peer.send(headers(1, postRequest));
    const padded = Buffer.concat([Buffer.from([5]), Buffer.from('body'), Buffer.alloc(5)]);
    peer.sendCut(frame(FrameType.data, FrameFlag.padded | end, 1, padded), [9, 10, 12, 16]);
    assert.deepEqual(stream(1).take(), [`headers ${postLine}`, 'data body', 'end']);
  });

  it('takes a head in several frames, with padding and a priority', () => {
    const { peer, stream } = served();
    const whole = block(...getRequest);
    const first = Buffer.concat([
      Buffer.from([3]),
      uint32(0),
      Buffer.from([16]),
      whole.subarray(0, 10),
      Buffer.alloc(3),
    ]);
    peer.send(
      frame(FrameType.headers, FrameFlag.padded | FrameFlag.priority | end, 1, first),
      frame(FrameType.continuation, 0, 1, whole.subarray(10, 20)),
      frame(FrameType.continuation, FrameFlag.endHeaders, 1, whole.subarray(20)),
    );
    assert.deepEqual(stream(1).take(), [`headers ${requestLine} END`, 'end']);
  });

  it('sends a head that fills several frames', () => {
    const { peer, stream } = served();
    peer.send(headers(1, getRequest, end));
    // Each character takes more than a byte in Huffman code, so that none is used.
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200'], ['x-long', '\u00ff'.repeat(40_000)]), true);
    peer.clock.advance(0);
    const sent = Buffer.concat(peer.transport.writes);
    const types: number[] = [];
    const flags: number[] = [];
    for (let at = 0; at < sent.length; at += 9 + sent.readUIntBE(at, 3)) {
      types.push(sent[at + 3]!);
      flags.push(sent[at + 4]!);
    }
    assert.deepEqual(types, [FrameType.headers, FrameType.continuation, FrameType.continuation]);
    assert.deepEqual(flags, [end, 0, FrameFlag.endHeaders]);
  });

  it('leaves the rest of a request that nobody wants, once the response is complete', () => {
    const { peer, stream } = served();
    peer.send(headers(1, postRequest));
    const handler = stream(1);
    handler.stream!.discardIncoming();
    peer.send(data(1, 'ignored'));
    answer(handler);
    assert.deepEqual(peer.received(), ['HEADERS 1 :status=200 END', 'RST_STREAM 1 NO_ERROR']);
    assert.deepEqual(handler.take(), [`headers ${postLine}`, 'closed']);
    assert.deepEqual(peer.send(data(1, 'late'), data(1, 'r')).received(), [], 'it had not heard of that');
  });

  it('forgets a request that its user resets, and reads over what still comes', () => {
    const { peer, stream, settings: all, events } = served();
    peer.send(headers(1, postRequest));
    stream(1).take();
    stream(1).stream!.reset(ErrorCode.cancel);
    peer.send(data(1, 'late'), headers(1, [['x', 'y']], end), windowUpdate(1, 5), rstStream(1, 0));
    assert.deepEqual(peer.received(), ['RST_STREAM 1 CANCEL']);
    assert.deepEqual(stream(1).take(), []);
    assert.deepEqual(events, ['busy', 'idle']);
    assert.deepEqual(counted(all), { resetsSent: 1, headersWithoutStream: 1 });
  });

  it('tells of a reset by the client', () => {
    const { peer, stream, settings: all } = served();
    peer.send(headers(1, postRequest), rstStream(1, ErrorCode.cancel));
    assert.deepEqual(stream(1).take().slice(1), ['reset remote 8 http2.remote_reset']);
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), true);
    assert.equal(stream(1).stream!.sendData(Buffer.from('x'), 0, 1, true), false);
    assert.deepEqual(peer.received(), [], 'nothing is sent on it');
    assert.deepEqual(counted(all), { resetsReceived: 1 });
  });
});

describe('requests that are none', () => {
  const cases: readonly (readonly [string, readonly Uint8Array[], string])[] = [
    ['names in capitals', [headers(1, [...getRequest, ['X-A', '1']], end)], 'RST_STREAM 1 PROTOCOL_ERROR'],
    [
      'fields about a connection',
      [headers(1, [...getRequest, ['connection', 'x']], end)],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'te but for trailers',
      [headers(1, [...getRequest, ['te', 'gzip']], end)],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'no path',
      [
        headers(
          1,
          getRequest.filter(([name]) => name !== ':path'),
          end,
        ),
      ],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'a line break in a value',
      [headers(1, [...getRequest, ['x', 'a\r\nb']], end)],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'an extended CONNECT that was not offered',
      [headers(1, [[':method', 'CONNECT'], ...getRequest.slice(1), [':protocol', 'websocket']])],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'a length and no body',
      [headers(1, [...postRequest, ['content-length', '3']], end)],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
    [
      'a dependency on themselves',
      [
        frame(
          FrameType.headers,
          FrameFlag.priority | FrameFlag.endHeaders | end,
          1,
          Buffer.concat([uint32(1), Buffer.from([0]), block(...getRequest)]),
        ),
      ],
      'RST_STREAM 1 PROTOCOL_ERROR',
    ],
  ];
  for (const [what, frames, expected] of cases) {
    it(`are refused for ${what}, and cost no other stream`, () => {
      const { peer, begun } = served();
      assert.deepEqual(peer.send(...frames).received(), [expected]);
      assert.equal(begun.size, 0);
      peer.send(headers(3, getRequest, end));
      assert.deepEqual(begun.get(3)?.take(), [`headers ${requestLine} END`, 'end']);
    });
  }

  const withBody: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ['more than it said', [data(1, 'abcd')]],
    ['less than it said', [data(1, 'ab', end)]],
    ['less than it said, and trailers', [data(1, 'ab'), headers(1, [['x', '1']], end)]],
    ['trailers that do not end it', [data(1, 'abc'), headers(1, [['x', '1']])]],
    ['trailers with a path', [data(1, 'abc'), headers(1, [[':path', '/']], end)]],
  ];
  for (const [what, frames] of withBody) {
    it(`are reset for a body that has ${what}`, () => {
      const { peer, stream, settings: all } = served();
      peer.send(headers(1, [...postRequest, ['content-length', '3']]), ...frames);
      assert.deepEqual(peer.received(), ['RST_STREAM 1 PROTOCOL_ERROR']);
      assert.equal(stream(1).take().at(-1), 'reset local 1 http2.violation.of.messaging.rule');
      assert.equal(counted(all)['messagingErrors'], 1);
    });
  }

  it('cost the connection where Envoy is told so', () => {
    const { peer, events } = served({ resetsStreamOnInvalidMessage: false });
    peer.send(headers(1, [...getRequest, ['X', '1']], end), headers(3, getRequest, end));
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=1 PROTOCOL_ERROR']);
    assert.deepEqual(events, ['lingering', 'http2.violation.of.messaging.rule']);
  });

  it('are reset for a list that is too long, and the table stays right', () => {
    const { peer, begun, settings: all } = served({ maxFields: 6 });
    // With incremental indexing: x=1 is the first entry of the table afterwards.
    const indexed = Buffer.concat([Buffer.from([0x40]), block(['x', '1']).subarray(1)]);
    const many = Array.from({ length: 7 }, (_, index) => [`f${index}`, ''] as const);
    const tooLong = Buffer.concat([block(...getRequest), indexed, block(...many)]);
    peer.send(frame(FrameType.headers, FrameFlag.endHeaders | end, 1, tooLong));
    assert.deepEqual(peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
    const next = Buffer.concat([block(...getRequest), Buffer.from([0x80 | 62])]);
    peer.send(frame(FrameType.headers, FrameFlag.endHeaders | end, 3, next));
    assert.deepEqual(begun.get(3)?.take(), [`headers ${requestLine} x=1 END`, 'end']);
    assert.equal(counted(all)['headerOverflow'], 1);
  });

  it('lose fields with an underscore in their name, or are refused for them, as configured', () => {
    const dropping = served({ underscores: 2 });
    dropping.peer.send(headers(1, [...getRequest, ['x_a', '1'], ['x-b', '2']], end));
    assert.deepEqual(dropping.stream(1).take()[0], `headers ${requestLine} x-b=2 END`);
    assert.equal(counted(dropping.settings)['underscoreFieldsDropped'], 1);
    const rejecting = served({ underscores: 1 });
    rejecting.peer.send(headers(1, [...getRequest, ['x_a', '1']], end));
    assert.deepEqual(rejecting.peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
    assert.equal(counted(rejecting.settings)['underscoreRequestsRejected'], 1);
  });

  it('lose trailers with an underscore in their name, or are cut off for them', () => {
    const dropping = served({ underscores: 2 });
    dropping.peer.send(
      headers(1, getRequest),
      headers(
        1,
        [
          ['x_a', '1'],
          ['x-b', '2'],
        ],
        end,
      ),
    );
    assert.deepEqual(dropping.stream(1).take(), [`headers ${requestLine}`, 'trailers x-b=2', 'end']);
    const rejecting = served({ underscores: 1 });
    rejecting.peer.send(headers(1, getRequest), headers(1, [['x_a', '1']], end));
    assert.deepEqual(rejecting.peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
    assert.equal(counted(rejecting.settings)['underscoreRequestsRejected'], 1);
  });
});

describe('extended CONNECT', () => {
  it('is announced and taken where it is allowed', () => {
    const { peer, stream } = served({ allowConnect: true });
    const fields = [[':method', 'CONNECT'], ...getRequest.slice(1), [':protocol', 'websocket']] as const;
    peer.send(headers(1, fields));
    assert.match(stream(1).take()[0]!, /:protocol=websocket/);
  });
});

describe('more streams than allowed', () => {
  it('are refused, and taken once others have closed', () => {
    const { peer, stream, begun } = served({ maxConcurrentStreams: 2 });
    peer.send(headers(1, getRequest, end), headers(3, getRequest, end), headers(5, getRequest, end));
    assert.deepEqual(peer.received(), ['RST_STREAM 5 REFUSED_STREAM']);
    assert.equal(begun.has(5), false);
    answer(stream(1));
    peer.send(headers(7, getRequest, end));
    assert.deepEqual(peer.received(), ['HEADERS 1 :status=200 END']);
    assert.equal(begun.has(7), true);
  });
});

describe('a drain', () => {
  it('serves what was sent before the client heard of it, then says which was the last, then ends', () => {
    const { peer, server, stream, events, begun } = served();
    peer.send(headers(1, getRequest, end));
    server.drain(5000);
    server.drain(5000);
    assert.deepEqual(peer.received(), [`GOAWAY 0 last=${maxUint31} NO_ERROR`]);
    peer.send(headers(3, getRequest, end));
    assert.equal(begun.has(3), true);
    peer.clock.advance(5_300);
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=3 NO_ERROR']);
    peer.send(headers(5, postRequest), data(5, 'x'), rstStream(5, 8));
    assert.equal(begun.has(5), false);
    answer(stream(1));
    peer.received();
    assert.equal(peer.transport.hasEnded, false);
    answer(stream(3));
    assert.deepEqual(peer.received(), ['HEADERS 3 :status=200 END']);
    assert.ok(peer.transport.hasEnded);
    assert.deepEqual(events, ['busy', 'idle', 'lingering']);
  });

  it('ends an idle connection when its time is over', () => {
    const { peer, server } = served();
    server.drain(1000);
    peer.clock.advance(1300);
    assert.deepEqual(peer.received(), [`GOAWAY 0 last=${maxUint31} NO_ERROR`, 'GOAWAY 0 last=0 NO_ERROR']);
    assert.ok(peer.transport.hasEnded);
  });
});

describe('the end of a connection', () => {
  it('is the end of its streams', () => {
    const { peer, stream, events, settings: all } = served();
    peer.send(headers(1, postRequest), headers(3, postRequest));
    peer.close();
    assert.equal(stream(1).take().at(-1), 'reset connectionLost 8 connection closed');
    assert.equal(stream(3).take().at(-1), 'reset connectionLost 8 connection closed');
    assert.deepEqual(events, ['busy', 'gone']);
    assert.deepEqual(counted(all), {});
    assert.deepEqual(peer.received(), []);
  });

  it('is the end of its timers', () => {
    const { peer, server } = served({
      flushTimeoutMs: 1000,
      keepaliveIntervalMs: 1000,
      keepaliveTimeoutMs: 500,
    });
    peer.send(settings([4, 0]), headers(1, getRequest, end));
    server.drain(5000);
    peer.close();
    assert.equal(peer.context.timers.size, 0);
  });

  it('is told to its streams when the client breaks the protocol', () => {
    const { peer, stream, events } = served();
    peer.send(headers(1, postRequest), windowUpdate(0, 0), headers(3, getRequest, end));
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=1 PROTOCOL_ERROR']);
    assert.equal(stream(1).take().at(-1), 'reset connectionError 1 http2.zero_window_increment');
    assert.ok(peer.transport.hasEnded);
    peer.close();
    assert.deepEqual(events, ['lingering', 'http2.zero_window_increment', 'gone']);
  });
});

describe('frames that no connection survives', () => {
  const ping = Buffer.alloc(8);
  const cases: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
    ['DATA on the connection', 'PROTOCOL_ERROR', [data(0, 'x')]],
    ['DATA on an idle stream', 'PROTOCOL_ERROR', [data(1, 'x')]],
    ['DATA on a stream that has ended', 'STREAM_CLOSED', [headers(1, getRequest, end), data(1, 'x')]],
    [
      'a head on a stream that has ended',
      'STREAM_CLOSED',
      [headers(1, getRequest, end), headers(1, getRequest, end)],
    ],
    ['an even stream', 'PROTOCOL_ERROR', [headers(2, getRequest, end)]],
    [
      'a lower stream that was left out',
      'STREAM_CLOSED',
      [headers(5, getRequest, end), headers(3, getRequest, end)],
    ],
    [
      'a padding longer than its frame',
      'PROTOCOL_ERROR',
      [headers(1, postRequest), frame(FrameType.data, FrameFlag.padded, 1, Buffer.from([5, 1, 2]))],
    ],
    [
      'a padding longer than its head',
      'PROTOCOL_ERROR',
      [frame(FrameType.headers, FrameFlag.padded | 4, 1, Buffer.from([5, 1, 2]))],
    ],
    ['RST_STREAM on an idle stream', 'PROTOCOL_ERROR', [rstStream(1, 0)]],
    [
      'RST_STREAM of 3 bytes',
      'FRAME_SIZE_ERROR',
      [headers(1, postRequest), frame(FrameType.rstStream, 0, 1, Buffer.alloc(3))],
    ],
    ['WINDOW_UPDATE of 3 bytes', 'FRAME_SIZE_ERROR', [frame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3))]],
    ['WINDOW_UPDATE on an idle stream', 'PROTOCOL_ERROR', [windowUpdate(1, 1)]],
    ['a window above 2^31-1', 'FLOW_CONTROL_ERROR', [windowUpdate(0, maxUint31)]],
    ['SETTINGS on a stream', 'PROTOCOL_ERROR', [frame(FrameType.settings, 0, 1)]],
    ['SETTINGS of 5 bytes', 'FRAME_SIZE_ERROR', [frame(FrameType.settings, 0, 0, Buffer.alloc(5))]],
    [
      'an acknowledgement with settings',
      'FRAME_SIZE_ERROR',
      [frame(FrameType.settings, 1, 0, Buffer.alloc(6))],
    ],
    [
      'settings acknowledged more often than sent',
      'PROTOCOL_ERROR',
      [frame(FrameType.settings, FrameFlag.ack, 0), frame(FrameType.settings, FrameFlag.ack, 0)],
    ],
    ['a push that is neither on nor off', 'PROTOCOL_ERROR', [settings([2, 2])]],
    ['a window setting above 2^31-1', 'FLOW_CONTROL_ERROR', [settings([4, 0x8000_0000])]],
    [
      'a window setting that makes a window too large',
      'FLOW_CONTROL_ERROR',
      [headers(1, postRequest), windowUpdate(1, 100), settings([4, maxUint31])],
    ],
    ['frames below 16 KiB', 'PROTOCOL_ERROR', [settings([5, 16_383])]],
    ['frames above 16 MiB', 'PROTOCOL_ERROR', [settings([5, 0x100_0000])]],
    ['extended CONNECT taken back', 'PROTOCOL_ERROR', [settings([8, 1]), settings([8, 0])]],
    ['priorities changed', 'PROTOCOL_ERROR', [settings([9, 1])]],
    ['PING of 7 bytes', 'FRAME_SIZE_ERROR', [frame(FrameType.ping, 0, 0, ping.subarray(1))]],
    ['PING on a stream', 'PROTOCOL_ERROR', [frame(FrameType.ping, 0, 1, ping)]],
    ['GOAWAY on a stream', 'PROTOCOL_ERROR', [frame(FrameType.goaway, 0, 1, ping)]],
    ['GOAWAY of 7 bytes', 'FRAME_SIZE_ERROR', [frame(FrameType.goaway, 0, 0, ping.subarray(1))]],
    ['PUSH_PROMISE', 'PROTOCOL_ERROR', [frame(FrameType.pushPromise, 4, 1, uint32(2))]],
    ['CONTINUATION behind nothing', 'PROTOCOL_ERROR', [frame(FrameType.continuation, 4, 1)]],
    [
      'a frame in the middle of a head',
      'PROTOCOL_ERROR',
      [frame(FrameType.headers, 0, 1, block(...getRequest)), frame(FrameType.ping, 0, 0, ping)],
    ],
    [
      'CONTINUATION of another stream',
      'PROTOCOL_ERROR',
      [frame(FrameType.headers, 0, 1, block(...getRequest)), frame(FrameType.continuation, 4, 3)],
    ],
    [
      'a head that cannot be decoded',
      'COMPRESSION_ERROR',
      [frame(FrameType.headers, 4, 1, Buffer.from([0x80]))],
    ],
    [
      'PRIORITY of 4 bytes on an idle stream',
      'FRAME_SIZE_ERROR',
      [frame(FrameType.priority, 0, 1, Buffer.alloc(4))],
    ],
    ['PRIORITY on the connection', 'PROTOCOL_ERROR', [frame(FrameType.priority, 0, 0, Buffer.alloc(5))]],
    [
      'an idle stream that depends on itself',
      'PROTOCOL_ERROR',
      [frame(FrameType.priority, 0, 1, Buffer.from([0, 0, 0, 1, 0]))],
    ],
    ['a frame above 16 KiB', 'FRAME_SIZE_ERROR', [headers(1, postRequest), data(1, Buffer.alloc(16_385))]],
  ];
  for (const [what, code, frames] of cases) {
    it(`${what}: ${code}`, () => {
      const { peer, stream, begun } = served({}, answer);
      const received = peer.send(...frames).received();
      assert.match(received.at(-1)!, new RegExp(`^GOAWAY 0 last=\\d+ ${code}$`), received.join());
      assert.ok(peer.transport.hasEnded);
      if (begun.has(1) && !stream(1).stream!.hasEnded) assert.match(stream(1).take().at(-1)!, /^reset/);
    });
  }
});

describe('frames that cost a stream', () => {
  const cases: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
    ['DATA behind its end', 'STREAM_CLOSED', [data(1, '', end), data(1, 'x')]],
    ['a head behind its end', 'STREAM_CLOSED', [data(1, '', end), headers(1, getRequest, end)]],
    ['no increment', 'PROTOCOL_ERROR', [windowUpdate(1, 0)]],
    ['a window above 2^31-1', 'FLOW_CONTROL_ERROR', [windowUpdate(1, maxUint31)]],
    [
      'a dependency on itself',
      'PROTOCOL_ERROR',
      [frame(FrameType.priority, 0, 1, Buffer.from([0, 0, 0, 1, 0]))],
    ],
    ['PRIORITY of 4 bytes', 'FRAME_SIZE_ERROR', [frame(FrameType.priority, 0, 1, Buffer.alloc(4))]],
    ['DATA behind its reset', 'STREAM_CLOSED', [rstStream(1, 8), data(1, 'x')]],
  ];
  for (const [what, code, frames] of cases) {
    it(`${what}: ${code}`, () => {
      const { peer, stream } = served();
      assert.deepEqual(peer.send(headers(1, postRequest), ...frames).received(), [`RST_STREAM 1 ${code}`]);
      assert.match(stream(1).take().at(-1)!, /^reset/);
      assert.equal(peer.transport.hasEnded, false);
    });
  }
});

describe('frames that mean nothing', () => {
  it('are read over', () => {
    const { peer, stream } = served();
    const ping = Buffer.from('12345678');
    peer.send(
      frame(0x16, 0xff, 7, Buffer.alloc(100)),
      frame(FrameType.priority, 0, 9, Buffer.from([0, 0, 0, 1, 0])),
      settings([0x99, 7], [6, 1000]),
      frame(FrameType.goaway, 0, 0, Buffer.alloc(20)),
      frame(FrameType.ping, FrameFlag.ack, 0, ping),
      frame(FrameType.ping, 0, 0, ping),
      headers(1, getRequest, end),
      windowUpdate(1, 1),
    );
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK', `PING 0 ${ping.toString('hex')} ACK`]);
    assert.deepEqual(stream(1).take(), [`headers ${requestLine} END`, 'end']);
    answer(stream(1));
    assert.deepEqual(peer.send(windowUpdate(1, 1), rstStream(1, 0)).received(), [
      'HEADERS 1 :status=200 END',
    ]);
  });

  it('are looked at up to the one that ends the connection', () => {
    const { peer, begun } = served();
    peer.send(windowUpdate(0, 0), headers(1, getRequest, end));
    peer.send(headers(3, getRequest, end));
    assert.equal(begun.size, 0);
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=0 PROTOCOL_ERROR']);
  });
});
