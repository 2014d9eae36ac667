import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@heddle/base';
import { FlushQueue, type Flushable } from './flush-queue.ts';
import { answer, connected, served } from './connections-under-test.ts';
import { FrameFlag } from './frame.ts';
import { lentRead } from './lent-read.ts';
import {
  RawPeer,
  data,
  frame,
  getRequest,
  headers,
  postRequest,
  settings,
  windowUpdate,
} from './test-peer.ts';
import { fieldsOf } from './test-servers.ts';

const end = FrameFlag.endStream;
const ping = frame(6, 0, 0, Buffer.alloc(8));
const largeWindows = [settings([4, 1 << 30]), windowUpdate(0, 1 << 30)] as const;

describe('frames', () => {
  it('that are caused by one read leave in one write at its end', () => {
    const { peer } = served({}, (handler) => {
      handler.onEvent = (name) => {
        if (name === 'end') answer(handler);
      };
    });
    peer.send(ping, settings(), headers(1, getRequest, end), headers(3, getRequest, end), ping);
    assert.equal(peer.transport.writes.length, 1);
    assert.deepEqual(
      peer.received().map((text) => text.split(' ')[0]),
      ['PING', 'SETTINGS', 'HEADERS', 'HEADERS', 'PING'],
    );
  });

  it('that are caused by others leave in one write at the end of the turn', () => {
    const { peer, stream } = served();
    peer.send(headers(1, getRequest, end), headers(3, getRequest, end));
    answer(stream(1));
    answer(stream(3));
    assert.equal(peer.transport.writes.length, 0);
    peer.clock.advance(0);
    assert.equal(peer.transport.writes.length, 1);
    assert.equal(peer.received().length, 2);
  });

  it('that fill more than a block leave block by block', () => {
    const { peer, stream } = served();
    peer.send(...largeWindows, headers(1, getRequest, end));
    peer.received();
    stream(1).stream!.sendHeaders(fieldsOf([':status', '200']), false);
    stream(1).stream!.sendData(Buffer.alloc(200_000), 0, 200_000, true);
    peer.clock.advance(0);
    assert.deepEqual(
      peer.transport.writes.map((bytes) => bytes.length > 40_000),
      [true, true, true, false],
    );
  });
});

describe('the queue of a turn', () => {
  it('has no more than some hold memory until its end', () => {
    const { clock } = new RawPeer();
    const queue = new FlushQueue(clock);
    const calls: string[] = [];
    const one = (index: number): Flushable => ({
      writeOut: () => void calls.push(`write ${index}`),
      flush: () => void calls.push(`flush ${index}`),
      drop: () => assert.fail('nothing throws'),
    });
    for (let index = 0; index < 66; index++) queue.add(one(index));
    assert.equal(calls.length, 64, 'when the 65th came, which itself may be in the middle of a frame');
    queue.add(one(66));
    clock.advance(0);
    assert.deepEqual(calls.slice(64, 68), ['flush 0', 'flush 1', 'flush 2', 'flush 3']);
    assert.equal(calls.length, 64 + 67);
    queue.add(one(0));
    clock.advance(0);
    assert.equal(calls.at(-1), 'flush 0');
  });
});

it('flushes the others where one of them throws', () => {
  const { clock } = new RawPeer();
  const queue = new FlushQueue(clock);
  const calls: string[] = [];
  const one = (flush: () => void): Flushable => ({
    writeOut: () => undefined,
    flush,
    drop: () => assert.fail('nobody knows of it'),
  });
  queue.add(one(() => calls.push('first')));
  queue.add(
    one(() => {
      throw new Error('a bug');
    }),
  );
  queue.add(one(() => calls.push('third')));
  assert.throws(() => clock.advance(0), /a bug/);
  clock.advance(0);
  queue.add(one(() => calls.push('later')));
  clock.advance(0);
  assert.deepEqual(calls, ['first', 'third', 'later']);
});

it('drops what throws where somebody is told of it, and flushes the others', () => {
  const { clock } = new RawPeer();
  const calls: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void calls.push(message) };
  const queue = new FlushQueue(clock, logger);
  const one = (name: string, flush: () => void): Flushable => ({
    writeOut: () => undefined,
    flush,
    drop: () => void calls.push(`${name} is dropped`),
  });
  queue.add(
    one('first', () => {
      throw new Error('a bug');
    }),
  );
  queue.add(one('second', () => void calls.push('second')));
  clock.advance(0);
  assert.deepEqual(calls, ['internal error, connection dropped', 'first is dropped', 'second']);
});

it('tells nobody twice that a stream is over, and nobody never, because one has thrown', () => {
  const { peer, stream } = served();
  peer.send(headers(1, getRequest, end), headers(3, getRequest, end));
  const told: number[] = [];
  for (const id of [1, 3]) {
    stream(id).onClosed = () => {
      told.push(id);
      if (id === 1) throw new Error('a bug');
    };
    answer(stream(id));
  }
  assert.throws(() => peer.clock.advance(0), /a bug/);
  peer.close();
  assert.deepEqual(told, [1, 3]);
});

/** A client's body, `pieces` frames of 16 KiB in one read, passed on to these. */
function forwardBulk(pieces: number, targets: number, startsAt = 0) {
  const bodies = Array.from({ length: pieces }, (_, index) => Buffer.alloc(16_384, 65 + index));
  const read = Buffer.concat([
    Buffer.alloc(startsAt),
    ...bodies.map((body, index) => data(1, body, index === pieces - 1 ? end : 0)),
  ]);
  const before = Buffer.from(read);
  const upstreams = Array.from({ length: targets }, () => connected({}, [[4, 1 << 30]]));
  const streams = upstreams.map(({ peer, request }) => {
    peer.send(windowUpdate(0, 1 << 30));
    const { stream } = request(false, 'POST');
    peer.received();
    return stream!;
  });
  for (const { peer } of upstreams) peer.transport.sources.clear();
  const down = served();
  down.peer.send(headers(1, postRequest));
  down.stream(1).onData = (buffer, start, stop, endStream) => {
    for (const stream of streams) stream.sendData(buffer, start, stop, endStream);
  };
  down.server.onData(read, startsAt, read.length);
  const expected = bodies.map((_, index) => `DATA 1 [16384]${index === pieces - 1 ? ' END' : ''}`);
  return { upstreams, read, before, bodies, expected };
}

/** The bodies of DATA frames in what was written. */
function bodiesOf(peer: RawPeer): Buffer[] {
  const bytes = Buffer.concat(peer.transport.writes);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === 0) found.push(bytes.subarray(at + 9, at + 9 + bytes.readUIntBE(at, 3)));
  }
  return found;
}

describe('bulk that is passed on while it is read', () => {
  it('leaves in one write of the buffer that it was read into', () => {
    const { upstreams, read, bodies, expected } = forwardBulk(10, 1);
    const { peer } = upstreams[0]!;
    assert.deepEqual([...peer.transport.sources], [read], 'nothing was copied');
    assert.equal(peer.transport.writes.length, 1);
    assert.deepEqual(bodiesOf(peer), bodies);
    assert.deepEqual(peer.received(), expected);
  });

  it('is copied for all but the first of those who are sent the same', () => {
    const { upstreams, read, bodies, expected } = forwardBulk(3, 3);
    assert.deepEqual(
      upstreams.map(({ peer }) => peer.transport.sources.has(read)),
      [true, false, false],
    );
    for (const { peer } of upstreams) {
      peer.clock.advance(0);
      assert.deepEqual(bodiesOf(peer), bodies);
      assert.deepEqual(peer.received(), expected);
    }
  });

  it('overwrites nothing that lies before the read', () => {
    const { upstreams, read, before, bodies } = forwardBulk(2, 1, 100);
    assert.deepEqual(bodiesOf(upstreams[0]!.peer), bodies);
    assert.deepEqual(read.subarray(0, 100), before.subarray(0, 100));
  });

  it('is copied where its header does not lie before it', () => {
    const { peer, client, request } = connected({}, [[4, 1 << 30]]);
    const { stream } = request(false, 'POST');
    peer.received();
    const buffer = Buffer.alloc(20_000, 'x');
    lentRead.begin(buffer, 100);
    stream!.sendData(buffer, 105, 10_105, false);
    lentRead.end();
    assert.equal(peer.transport.writes.length, 0);
    assert.deepEqual(buffer, Buffer.alloc(20_000, 'x'));
    assert.deepEqual(peer.received(), ['DATA 1 [10000]']);
    assert.equal(client.openStreams, 1);
  });

  it('keeps its place between other frames, and can be ended afterwards', () => {
    const { peer, request } = connected({}, [[4, 1 << 30]]);
    const first = request(false, 'POST').stream!;
    const second = request(false, 'POST').stream!;
    peer.received();
    const buffer = Buffer.alloc(40_000, 'y');
    lentRead.begin(buffer, 0);
    second.sendData(Buffer.from('small'), 0, 5, false);
    first.sendData(buffer, 9, 10_009, false);
    second.sendData(Buffer.from('between'), 0, 7, false);
    first.sendData(buffer, 10_018, 20_000, false);
    first.endStream();
    lentRead.end();
    assert.deepEqual(peer.received(), [
      'DATA 3 small',
      'DATA 1 [10000]',
      'DATA 3 between',
      'DATA 1 [9982] END',
    ]);
  });

  it('waits as a copy where the window is too small for all of it', () => {
    const { peer, request } = connected({}, [[4, 10_000]]);
    const { stream } = request(false, 'POST');
    peer.received();
    const buffer = Buffer.alloc(20_000, 'z');
    lentRead.begin(buffer, 0);
    stream!.sendData(buffer, 9, 16_009, true);
    lentRead.end();
    buffer.fill(0);
    assert.deepEqual(peer.received(), ['DATA 1 [10000]']);
    peer.send(windowUpdate(1, 10_000));
    assert.deepEqual(bodiesOf(peer), [Buffer.alloc(6000, 'z')]);
    assert.deepEqual(peer.received(), ['DATA 1 [6000] END']);
  });
});
