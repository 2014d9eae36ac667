// What a peer can do at next to no cost to itself ends in GOAWAY before it costs us anything to speak of.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer, connected, response, served, type Served } from './connections-under-test.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { Http2Options } from './http2-options.ts';
import type { RecordingHandler } from './test-handler.ts';
import {
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
import { fieldsOf } from './test-servers.ts';

const end = FrameFlag.endStream;
const ping = frame(FrameType.ping, 0, 0, Buffer.alloc(8));

/** Sends `attack(n)` for n = 0, 1, … until the connection is ended. Returns how often that was done, and the last frame. */
function attack(
  attack: (round: number) => readonly Uint8Array[],
  options: Partial<Http2Options> = {},
  prepare: (one: Served) => void = () => undefined,
): { readonly rounds: number; readonly last: string; readonly one: Served } {
  const one = served(options, () => undefined);
  prepare(one);
  let rounds = 0;
  let last = '';
  while (!one.peer.transport.hasEnded && rounds < 20_000) {
    one.peer.send(...attack(rounds++));
    last = one.peer.received().at(-1) ?? last;
  }
  return { rounds, last, one };
}

const streamId = (round: number): number => 2 * round + 1;
const calmDown = (lastStream: number): string => `GOAWAY 0 last=${lastStream} ENHANCE_YOUR_CALM`;

describe('requests that are reset at once', () => {
  it('end the connection after 250 of them (rapid reset, CVE-2023-44487)', () => {
    const { rounds, last, one } = attack((round) => [
      headers(streamId(round), postRequest),
      rstStream(streamId(round), 8),
    ]);
    assert.equal(rounds, 250);
    assert.equal(last, calmDown(499));
    assert.equal(one.events.at(-1), 'too_many_premature_resets');
    assert.equal(counted(one.settings)['streamsActive'], undefined);
  });

  it('end it within one read, too', () => {
    const { peer, begun } = served();
    const all = Array.from({ length: 2000 }, (_, round) => [
      headers(streamId(round), postRequest),
      rstStream(streamId(round), 8),
    ]);
    assert.equal(
      peer
        .send(...all.flat())
        .received()
        .at(-1),
      calmDown(499),
    );
    assert.equal(begun.size, 250);
  });

  const provocations: readonly (readonly [string, (id: number) => Uint8Array])[] = [
    ['a window update of 0', (id) => windowUpdate(id, 0)],
    ['a window above the limit', (id) => windowUpdate(id, 0x7fff_ffff)],
    [
      'a dependency on itself',
      (id) => frame(FrameType.priority, 0, id, Buffer.concat([uint32(id), Buffer.alloc(1)])),
    ],
    ['DATA behind the end', (id) => Buffer.concat([data(id, '', end), data(id, 'x')])],
    ['a body longer than said', (id) => data(id, 'four')],
  ];
  for (const [how, provoke] of provocations) {
    it(`end it where the client has us reset them by ${how} (CVE-2025-8671)`, () => {
      const { rounds, last } = attack((round) => [
        headers(streamId(round), [...postRequest, ['content-length', how.includes('body') ? '3' : '1']]),
        how.includes('DATA') ? data(streamId(round), '1') : Buffer.alloc(0),
        provoke(streamId(round)),
      ]);
      assert.equal(rounds, 250);
      assert.match(last, /^GOAWAY 0 last=499 ENHANCE_YOUR_CALM$/);
    });
  }

  it('end it where they are none to begin with', () => {
    const { rounds, last } = attack((round) => [headers(streamId(round), [...getRequest, ['X', '']], end)]);
    assert.equal(rounds, 250);
    assert.equal(last, calmDown(499));
  });

  it('end it where they are more than allowed', () => {
    const { rounds, last } = attack((round) => [headers(streamId(round), getRequest, end)], {
      maxConcurrentStreams: 10,
    });
    assert.equal(rounds, 260);
    assert.equal(last, calmDown(519));
  });

  it('do no harm where they are fewer than half, lived for a while, or had a response', () => {
    const one = served();
    const { peer, stream } = one;
    for (let round = 0; round < 3000; round++) {
      const id = streamId(round);
      peer.send(headers(id, postRequest));
      if (round % 5 < 2) peer.send(rstStream(id, 8));
      else if (round % 5 === 2) stream(id).stream!.sendHeaders(fieldsOf([':status', '200']), false);
      else answer(stream(id));
      if (round % 5 > 1) peer.send(rstStream(id, 8));
      peer.received();
    }
    for (let round = 3000; round < 3500; round++) {
      peer.send(headers(streamId(round), postRequest));
      peer.clock.advance(2001);
      peer.send(rstStream(streamId(round), 8));
    }
    assert.equal(peer.transport.hasEnded, false);
  });
});

describe('header blocks', () => {
  it('without an end are given up at the size of the longest list (CONTINUATION flood, CVE-2024-27983)', () => {
    const { rounds, last, one } = attack((round) =>
      round === 0
        ? [frame(FrameType.headers, 0, 1, block(...getRequest))]
        : [frame(FrameType.continuation, 0, 1, Buffer.alloc(16_384))],
    );
    assert.ok(rounds <= 6, String(rounds));
    assert.equal(last, calmDown(0));
    assert.equal(one.begun.size, 0);
  });

  it('in many small frames are given up', () => {
    const { rounds, last } = attack((round) =>
      round === 0
        ? [frame(FrameType.headers, 0, 1, block(...getRequest))]
        : [frame(FrameType.continuation, 0, 1, Buffer.from([0x80]))],
    );
    assert.ok(rounds < 20, String(rounds));
    assert.equal(last, calmDown(0));
  });

  it('cut off in the middle leave nothing behind', () => {
    const { peer, events, settings: all } = served();
    peer.send(
      frame(FrameType.headers, 0, 1, block(...getRequest)),
      frame(FrameType.continuation, 0, 1, Buffer.alloc(100)).subarray(0, 50),
    );
    peer.close();
    assert.deepEqual(events, ['gone']);
    assert.deepEqual(counted(all), {});
  });

  it('that refer to one large field again and again are refused (HPACK bomb, CVE-2016-6581)', () => {
    const { peer, begun, settings: all } = served();
    const name = 'x'.repeat(1);
    const entry = Buffer.concat([Buffer.from([0x40]), block([name, 'y'.repeat(4000)]).subarray(1)]);
    const bomb = Buffer.concat([block(...getRequest), entry, Buffer.alloc(12_000, 0x80 | 62)]);
    for (let id = 1; id < 200; id += 2) {
      peer.send(frame(FrameType.headers, FrameFlag.endHeaders | end, id, bomb));
      assert.deepEqual(peer.received(), [`RST_STREAM ${id} INTERNAL_ERROR`]);
    }
    assert.equal(begun.size, 0);
    assert.equal(counted(all)['headerOverflow'], 100);
  });

  it('of many crumbs of a cookie are refused by their number and by their size', () => {
    const crumbs = Array.from({ length: 200 }, (_, index) => ['cookie', `a${index}=1`] as const);
    const byNumber = served();
    byNumber.peer.send(headers(1, [...getRequest, ...crumbs], end));
    assert.deepEqual(byNumber.peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
    const bySize = served({ maxFields: 10_000, maxHeaderListBytes: 5000 });
    bySize.peer.send(headers(1, [...getRequest, ...crumbs], end));
    assert.deepEqual(bySize.peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
  });

  it('with the same pseudo-header many times are refused by their number', () => {
    const { peer } = served();
    const many = Array.from({ length: 10_000 }, () => Buffer.from([0x80 | 2]));
    peer.send(frame(FrameType.headers, FrameFlag.endHeaders | end, 1, Buffer.concat(many)));
    assert.deepEqual(peer.received(), ['RST_STREAM 1 INTERNAL_ERROR']);
  });
});

describe('frames that want an answer nobody reads', () => {
  const floods: readonly (readonly [string, (round: number) => readonly Uint8Array[]])[] = [
    ['PING (CVE-2019-9512)', () => [ping]],
    ['SETTINGS (CVE-2019-9515)', () => [settings()]],
    [
      'requests to be reset (CVE-2019-9514)',
      (round) => [headers(streamId(round), [...getRequest, ['X', '']], end)],
    ],
  ];
  for (const [what, flood] of floods) {
    it(`end the connection: ${what}`, () => {
      const { rounds, last, one } = attack(flood, {}, ({ peer }) => {
        peer.transport.isWritable = false;
      });
      assert.ok(rounds <= 1001, String(rounds));
      assert.match(last, /ENHANCE_YOUR_CALM$/);
      if (rounds > 500) assert.equal(counted(one.settings)['outboundControlFlood'], 1);
      one.peer.close();
      assert.equal(counted(one.settings)['outboundFramesActive'], undefined);
      assert.equal(counted(one.settings)['outboundControlFramesActive'], undefined);
    });
  }

  it('end the connection within one read, too', () => {
    const { peer, settings: all } = served();
    peer.send(...Array.from({ length: 5000 }, () => ping));
    const received = peer.received();
    assert.equal(received.at(-1), calmDown(0));
    assert.ok(received.length <= 1002, String(received.length));
    assert.equal(counted(all)['outboundControlFlood'], 1);
  });

  it('do no harm where they are read', () => {
    const { peer } = served();
    for (let round = 0; round < 5000; round++) {
      assert.equal(peer.send(ping).received().length, 1);
    }
  });

  it('end the connection: responses', () => {
    const { peer, stream, settings: all } = served({ maxOutboundFrames: 1000 });
    peer.transport.isWritable = false;
    let round = 0;
    while (!peer.transport.hasEnded && round < 2000) {
      const id = streamId(round++);
      peer.send(headers(id, getRequest, end));
      if (!peer.transport.hasEnded) answer(stream(id));
      peer.clock.advance(0);
    }
    assert.equal(round, 1001);
    assert.equal(counted(all)['outboundFlood'], 1);
  });
});

describe('frames that carry nothing', () => {
  it('end the connection: DATA (CVE-2019-9518)', () => {
    const { rounds, last, one } = attack((round) => [round === 0 ? headers(1, postRequest) : data(1, '')]);
    assert.equal(rounds, 3);
    assert.equal(last, calmDown(1));
    assert.equal(counted(one.settings)['inboundEmptyFramesFlood'], 1);
  });

  it('end the connection: DATA with nothing but padding', () => {
    const padding = frame(FrameType.data, FrameFlag.padded, 1, Buffer.from([3, 0, 0, 0]));
    const { rounds, last } = attack((round) => [round === 0 ? headers(1, postRequest) : padding]);
    assert.equal(rounds, 3);
    assert.equal(last, calmDown(1));
  });

  it('end the connection: CONTINUATION', () => {
    const { rounds, last } = attack((round) => [
      frame(round === 0 ? FrameType.headers : FrameType.continuation, 0, 1),
    ]);
    assert.equal(rounds, 2);
    assert.equal(last, calmDown(0));
  });

  it('do no harm where they are single, or end their stream', () => {
    const { peer, stream } = served();
    peer.send(
      headers(1, postRequest),
      data(1, ''),
      data(1, 'a'),
      data(1, ''),
      data(1, 'b'),
      data(1, '', end),
    );
    assert.deepEqual(stream(1).take().slice(1), ['data ab', 'end']);
  });

  it('end the connection: PRIORITY', () => {
    const priority = frame(FrameType.priority, 0, 1, Buffer.alloc(5));
    const { rounds, last, one } = attack(() => [priority]);
    assert.equal(rounds, 101);
    assert.equal(last, calmDown(0));
    assert.equal(counted(one.settings)['inboundPriorityFramesFlood'], 1);
  });

  for (const id of [0, 1]) {
    it(`end the connection: WINDOW_UPDATE on ${id === 0 ? 'the connection' : 'a stream'}`, () => {
      const { rounds, last, one } = attack((round) => [
        round === 0 ? headers(1, postRequest) : windowUpdate(id, 1),
      ]);
      assert.equal(rounds, 1 + 5 + 2 + 1);
      assert.equal(last, calmDown(1));
      assert.equal(counted(one.settings)['inboundWindowUpdateFramesFlood'], 1);
    });
  }

  it('do no harm where WINDOW_UPDATE lets DATA go', () => {
    const { peer, stream } = served();
    peer.send(settings([4, 1]), headers(1, getRequest, end));
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    stream(1).stream!.sendData(Buffer.alloc(50_000), 0, 50_000, true);
    for (let sent = 1; sent < 50_000; sent++) peer.send(windowUpdate(1, 1));
    assert.equal(stream(1).take().at(-1), 'closed');
  });

  it('end the connection: settings by the hundred', () => {
    const { peer } = served();
    assert.deepEqual(peer.send(settings(...Array.from({ length: 100 }, () => [4, 1] as const))).received(), [
      calmDown(0),
    ]);
  });
});

describe('streams that stand still', () => {
  it('hold no more of a response than its sender was told to send (tiny windows, CVE-2019-9511, 9517)', () => {
    const handlers: RecordingHandler[] = [];
    const { peer, settings: all } = served({ flushTimeoutMs: 1000 }, (handler) => handlers.push(handler));
    peer.send(settings([4, 0]));
    const piece = Buffer.alloc(16 * 1024);
    for (let round = 0; round < 100; round++) {
      peer.send(headers(streamId(round), getRequest, end));
      const stream = handlers[round]!.stream!;
      stream.sendHeaders(fieldsOf([':status', '200']), false);
      while (stream.sendData(piece, 0, piece.length, false)) {
        // As long as more may be sent.
      }
      stream.endStream();
    }
    assert.equal(counted(all)['pendingSendBytes'], 100 * 80 * 1024);
    peer.clock.advance(1500);
    assert.equal(counted(all)['pendingSendBytes'], undefined);
    assert.equal(counted(all)['flushTimeouts'], 100);
  });

  it('are forgotten with their connection, a thousand of them', () => {
    const { peer, begun, settings: all } = served();
    for (let round = 0; round < 1000; round++) peer.send(headers(streamId(round), postRequest));
    peer.close();
    assert.equal(begun.size, 1000);
    for (const handler of begun.values()) assert.match(handler.take().at(-1)!, /^reset connectionLost/);
    assert.deepEqual(counted(all), {});
  });
});

describe('a server', () => {
  it('that floods its client is left', () => {
    const { peer, request } = connected();
    const handler = request();
    peer.received();
    peer.send(...Array.from({ length: 1001 }, () => ping));
    assert.equal(peer.received().at(-1), 'GOAWAY 0 last=0 ENHANCE_YOUR_CALM');
    assert.match(handler.take().at(-1)!, /^reset connectionError 11/);
    assert.ok(peer.transport.isDestroyed);
  });

  it('may reset as many requests as it likes: it is we who ask', () => {
    const { peer, request } = connected();
    for (let id = 1; id < 2000; id += 2) {
      request();
      peer.send(rstStream(id, ErrorCode.internalError));
    }
    assert.equal(peer.transport.isDestroyed, false);
    request();
    peer.send(response(2001));
    assert.equal(peer.transport.isDestroyed, false);
  });
});
