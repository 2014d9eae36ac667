import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connected, response, served } from './connections-under-test.ts';
import { ErrorCode } from './error-code.ts';
import { FrameFlag, FrameType, maxPayloadBytes } from './frame.ts';
import type { Http2Stream } from './http2-stream.ts';
import {
  type RawPeer,
  counted,
  data,
  frame,
  getRequest,
  headers,
  postRequest,
  rstStream,
  settings,
  windowUpdate,
} from './test-peer.ts';
import { fieldsOf } from './test-servers.ts';

const end = FrameFlag.endStream;
const initialWindowSize = 4;
const large = 1 << 30;

function begin(stream: Http2Stream): void {
  stream.sendHeaders(fieldsOf([':status', '200']), false);
}

/** Sums of DATA by stream among the frames that have come. */
function dataLengths(peer: RawPeer): Record<string, number> {
  const lengths: Record<string, number> = {};
  for (const text of peer.received()) {
    const [type, id, content = ''] = text.split(' ');
    if (type !== 'DATA') continue;
    const length = content.startsWith('[')
      ? Number(content.slice(1, -1))
      : content === 'END'
        ? 0
        : content.length;
    lengths[id!] = (lengths[id!] ?? 0) + length;
  }
  return lengths;
}

describe('what is sent', () => {
  it('waits for the window of its stream, byte by byte if need be, and ends with its last byte', () => {
    const { peer, stream, settings: all } = served();
    peer.send(settings([initialWindowSize, 1]), headers(1, getRequest, end));
    const one = stream(1).stream!;
    begin(one);
    one.sendData(Buffer.from('abc'), 0, 3, true);
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK', 'HEADERS 1 :status=200', 'DATA 1 a']);
    assert.equal(one.queuedBytes, 2);
    assert.equal(counted(all)['pendingSendBytes'], 2);
    assert.deepEqual(peer.send(windowUpdate(1, 1)).received(), ['DATA 1 b']);
    assert.deepEqual(peer.send(windowUpdate(1, 1)).received(), ['DATA 1 c END']);
    assert.equal(stream(1).take().at(-1), 'closed');
    assert.deepEqual(counted(all), {});
  });

  it('waits for the window of the connection, whose bytes all streams share in turn', () => {
    const { peer, stream } = served();
    peer.send(settings([initialWindowSize, large]));
    for (const id of [1, 3, 5]) peer.send(headers(id, getRequest, end));
    const body = Buffer.alloc(100_000);
    for (const id of [1, 3, 5]) {
      begin(stream(id).stream!);
      stream(id).stream!.sendData(body, 0, body.length, true);
    }
    assert.deepEqual(dataLengths(peer), { 1: 65_535 });
    peer.send(windowUpdate(0, 6 * maxPayloadBytes));
    // 34,465 bytes are left of the first: its last piece is short.
    assert.deepEqual(dataLengths(peer), { 1: 32_768, 3: 32_768, 5: 32_768 });
    peer.send(windowUpdate(0, 1_000_000));
    assert.deepEqual(dataLengths(peer), { 1: 1_697, 3: 67_232, 5: 67_232 });
    for (const id of [1, 3, 5]) assert.equal(stream(id).take().at(-1), 'closed');
  });

  it('holds its sender up while more than enough waits, and asks for more once it has gone', () => {
    const { peer, stream } = served();
    peer.send(settings([initialWindowSize, 0]), headers(1, getRequest, end));
    const one = stream(1).stream!;
    begin(one);
    const piece = Buffer.alloc(32 * 1024);
    assert.ok(one.sendData(piece, 0, piece.length, false));
    assert.ok(one.sendData(piece, 0, piece.length, false));
    assert.equal(one.sendData(piece, 0, 1, false), false);
    stream(1).take();
    peer.send(windowUpdate(1, 32 * 1024));
    assert.deepEqual(stream(1).take(), []);
    peer.send(windowUpdate(1, 1));
    assert.deepEqual(stream(1).take(), ['drain']);
    peer.send(windowUpdate(1, 32 * 1024));
    assert.deepEqual(stream(1).take(), [], 'asked once');
  });

  it('keeps trailers behind what waits', () => {
    const { peer, stream } = served();
    peer.send(settings([initialWindowSize, 2]), headers(1, getRequest, end));
    const one = stream(1).stream!;
    begin(one);
    one.sendData(Buffer.from('abc'), 0, 3, false);
    one.sendTrailers(fieldsOf(['grpc-status', '0']));
    peer.received();
    assert.deepEqual(peer.send(windowUpdate(1, 1)).received(), ['DATA 1 c', 'HEADERS 1 grpc-status=0 END']);
    assert.equal(stream(1).take().at(-1), 'closed');
  });

  it('ends without a window where nothing is left but its end', () => {
    const { peer, stream } = served();
    peer.send(settings([initialWindowSize, 0]), headers(1, getRequest, end));
    begin(stream(1).stream!);
    peer.received();
    stream(1).stream!.endStream();
    assert.deepEqual(peer.received(), ['DATA 1 END']);
  });

  it('takes a window that settings make negative, and waits until it is not', () => {
    const { peer, stream } = served();
    peer.send(settings([initialWindowSize, 10]), headers(1, getRequest, end));
    const one = stream(1).stream!;
    begin(one);
    one.sendData(Buffer.from('0123456789ab'), 0, 12, false);
    peer.received();
    peer.send(settings([initialWindowSize, 3]));
    assert.equal(one.sendWindow, -7);
    peer.send(windowUpdate(1, 7));
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK']);
    peer.send(settings([initialWindowSize, 4]));
    assert.deepEqual(peer.received(), ['SETTINGS 0 ACK', 'DATA 1 a']);
  });

  it('is forgotten with its stream', () => {
    const { peer, stream, settings: all } = served();
    peer.send(settings([initialWindowSize, 0]));
    for (const id of [1, 3, 5]) {
      peer.send(headers(id, getRequest, end));
      begin(stream(id).stream!);
      stream(id).stream!.sendData(Buffer.from('abc'), 0, 3, true);
    }
    peer.received();
    stream(1).stream!.reset(ErrorCode.cancel);
    peer.send(rstStream(3, 8), windowUpdate(1, 10), windowUpdate(3, 10), windowUpdate(5, 10));
    assert.deepEqual(peer.received(), ['RST_STREAM 1 CANCEL', 'DATA 5 abc END']);
    assert.equal(counted(all)['pendingSendBytes'], undefined);
  });

  it('is given up where the peer does not take the rest of a complete message in time', () => {
    const { peer, stream, settings: all } = served({ flushTimeoutMs: 1000 });
    peer.send(settings([initialWindowSize, 1]), headers(1, getRequest, end), headers(3, getRequest, end));
    begin(stream(1).stream!);
    stream(1).stream!.sendData(Buffer.from('abc'), 0, 3, true);
    begin(stream(3).stream!);
    stream(3).stream!.sendData(Buffer.from('abc'), 0, 3, false);
    peer.received();
    peer.clock.advance(1500);
    assert.deepEqual(peer.received(), ['RST_STREAM 1 CANCEL']);
    assert.equal(stream(1).take().at(-1), 'reset local 8 stream reset due to flush timeout');
    assert.deepEqual(counted(all)['flushTimeouts'], 1);
    assert.equal(stream(3).stream!.isClosed, false, 'its message may go on');
  });

  it('waits while the transport takes no more, and goes on when it does', () => {
    const { peer, stream } = served();
    peer.send(
      settings([initialWindowSize, large]),
      windowUpdate(0, large),
      headers(1, getRequest, end),
      headers(3, getRequest, end),
    );
    peer.received();
    peer.transport.isWritable = false;
    const one = stream(1).stream!;
    begin(one);
    const body = Buffer.alloc(100_000);
    assert.equal(one.sendData(body, 0, body.length, false), false);
    const sent = dataLengths(peer)['1']!;
    assert.ok(sent >= 4 * maxPayloadBytes - 100, 'what fills a block leaves, and finds that out');
    assert.equal(one.sendData(body, 0, 10, false), false);
    begin(stream(3).stream!);
    assert.equal(stream(3).stream!.sendData(body, 0, 10, true), false);
    assert.deepEqual(peer.received(), ['HEADERS 3 :status=200'], 'heads do not wait');
    stream(1).take();
    peer.drain();
    assert.deepEqual(dataLengths(peer), { 1: body.length - sent + 10, 3: 10 });
    assert.deepEqual(stream(1).take(), ['drain']);
    assert.equal(stream(3).take().at(-1), 'closed');
  });
});

describe('what is received', () => {
  it('is given back once it makes half a window', () => {
    const { peer, stream } = served({
      initialStreamWindowSize: 70_000,
      initialConnectionWindowSize: 100_000,
    });
    peer.send(headers(1, postRequest), headers(3, postRequest));
    const piece = Buffer.alloc(16_000);
    peer.send(data(1, piece), data(1, piece));
    assert.deepEqual(peer.received(), []);
    peer.send(data(1, piece));
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 1 48000']);
    peer.send(data(3, piece));
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 0 64000']);
    assert.equal(stream(1).take().at(-1), 'data [48000]');
  });

  it('is not given back while reading is paused, but told', () => {
    const { peer, stream } = served({ initialStreamWindowSize: 65_536, initialConnectionWindowSize: 65_536 });
    peer.send(headers(1, postRequest));
    const one = stream(1).stream!;
    one.pauseReading();
    const piece = Buffer.alloc(16_384);
    peer.send(data(1, piece), data(1, piece), data(1, piece), data(1, piece));
    assert.deepEqual(peer.received(), []);
    assert.equal(stream(1).take().at(-1), 'data [65536]');
    one.resumeReading();
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 0 65536', 'WINDOW_UPDATE 1 65536']);
  });

  it('is not given back where reading is paused because of it', () => {
    const { peer, stream } = served({ initialStreamWindowSize: 65_536 });
    peer.send(headers(1, postRequest));
    stream(1).onEvent = (name) => {
      if (name === 'data') stream(1).stream!.pauseReading();
    };
    const piece = Buffer.alloc(16_384);
    peer.send(data(1, piece), data(1, piece), data(1, piece));
    assert.deepEqual(peer.received(), []);
    stream(1).stream!.resumeReading();
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 1 49152']);
  });

  for (const how of ['reset by its user', 'reset by the client', 'discarded', 'ended'] as const) {
    it(`is given back to the connection where a paused stream is ${how}`, () => {
      const { peer, stream } = served({
        initialStreamWindowSize: 65_535,
        initialConnectionWindowSize: 65_535,
      });
      peer.send(headers(1, postRequest));
      const one = stream(1).stream!;
      one.pauseReading();
      const piece = Buffer.alloc(16_000);
      peer.send(data(1, piece), data(1, piece), data(1, piece, how === 'ended' ? end : 0));
      if (how === 'reset by its user') one.reset(ErrorCode.cancel);
      else if (how === 'reset by the client') peer.send(rstStream(1, 8));
      else if (how === 'discarded') one.discardIncoming();
      else one.sendHeaders(fieldsOf([':status', '200']), true);
      assert.ok(peer.received().includes('WINDOW_UPDATE 0 48000'), how);
    });
  }

  it('counts with its padding, which is given back at once', () => {
    const { peer } = served({ initialStreamWindowSize: 1000, initialConnectionWindowSize: 65_535 });
    peer.send(headers(1, postRequest));
    const padded = Buffer.concat([Buffer.from([250]), Buffer.alloc(250 + 249)]);
    peer.send(frame(FrameType.data, FrameFlag.padded, 1, padded));
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 1 500']);
  });

  it('goes through windows of one byte', () => {
    const { peer, stream } = served({ initialStreamWindowSize: 1 });
    peer.send(headers(1, postRequest));
    for (const letter of 'hallo') {
      peer.send(data(1, letter));
      assert.deepEqual(peer.received(), ['WINDOW_UPDATE 1 1']);
    }
    assert.equal(stream(1).take().at(-1), 'data hallo');
  });

  it('costs the stream where it exceeds its window', () => {
    const { peer, stream } = served({ initialStreamWindowSize: 4 });
    peer.send(headers(1, postRequest));
    stream(1).stream!.pauseReading();
    peer.send(data(1, 'four'));
    assert.deepEqual(peer.send(data(1, '5')).received(), ['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    assert.equal(stream(1).take().at(-1), 'reset local 3 http2.window_exceeded');
  });

  it('costs the connection where it exceeds that one’s window', () => {
    const { peer, stream, events } = served({ initialConnectionWindowSize: 65_535 });
    peer.send(headers(1, postRequest));
    stream(1).stream!.pauseReading();
    const piece = Buffer.alloc(16_384);
    peer.send(data(1, piece), data(1, piece), data(1, piece), data(1, piece));
    assert.deepEqual(peer.received(), ['GOAWAY 0 last=1 FLOW_CONTROL_ERROR']);
    assert.equal(events.at(-1), 'http2.window_exceeded');
  });

  it('may be as much as windows were before the peer has heard of smaller ones', () => {
    const { peer, request } = connected({ initialStreamWindowSize: 10 });
    // The acknowledgement came with the server's settings; what was opened afterwards has ten bytes.
    const handler = request();
    peer.received();
    handler.stream!.pauseReading();
    peer.send(response(1, '200', 0), data(1, '0123456789'));
    assert.equal(handler.take().at(-1), 'data 0123456789');
    assert.deepEqual(peer.send(data(1, 'a')).received(), ['RST_STREAM 1 FLOW_CONTROL_ERROR']);
  });

  it('is given back for streams that are gone', () => {
    const { peer, stream } = served({ initialConnectionWindowSize: 65_535 });
    peer.send(headers(1, postRequest));
    stream(1).stream!.reset(ErrorCode.cancel);
    peer.received();
    const piece = Buffer.alloc(16_384);
    peer.send(data(1, piece), data(1, piece));
    assert.deepEqual(peer.received(), ['WINDOW_UPDATE 0 32768']);
  });
});
