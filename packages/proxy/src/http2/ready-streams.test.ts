import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { Http2Stream, type StreamHost } from './http2-stream.ts';
import { ReadyStreams } from './ready-streams.ts';
import { noHandler } from './stream-handler.ts';

it('keeps the order in which streams were put in, whichever leave', () => {
  const random = new SeededRandom('ready');
  const ready = new ReadyStreams();
  // Nobody calls it here.
  const host = {} as StreamHost;
  const streams = Array.from({ length: 20 }, (_, id) => new Http2Stream(host, id, noHandler, 0, 0, 0));
  let expected: Http2Stream[] = [];
  for (let round = 0; round < 5000; round++) {
    const stream = random.pick(streams);
    if (random.chance(0.5)) {
      ready.add(stream);
      if (!expected.includes(stream)) expected.push(stream);
    } else {
      ready.remove(stream);
      expected = expected.filter((other) => other !== stream);
    }
    const order: Http2Stream[] = [];
    for (let at = ready.first; at !== null; at = at.nextReady) order.push(at);
    assert.deepEqual(
      order.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
  }
});
