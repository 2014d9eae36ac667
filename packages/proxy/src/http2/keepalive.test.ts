import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connected } from './connections-under-test.ts';
import { FrameFlag } from './frame.ts';
import { counted, frame, settings } from './test-peer.ts';

const keepaliveIntervalMs = 10_000;
const keepaliveTimeoutMs = 2000;
const answerTo = (text: string): Buffer =>
  frame(6, FrameFlag.ack, 0, Buffer.from(text.split(' ')[2]!, 'hex'));

describe('keep-alive', () => {
  it('asks every so often, and is content with an answer', () => {
    const { peer } = connected({ keepaliveIntervalMs, keepaliveTimeoutMs });
    for (let round = 1; round < 5; round++) {
      // Up to 15 % are added by chance, and a tick of the wheel.
      peer.clock.advance(12_000);
      const [ping] = peer.received();
      assert.equal(ping, `PING 0 000000000000000${round}`);
      peer.send(answerTo(ping));
    }
    assert.equal(peer.transport.isDestroyed, false);
  });

  it('leaves a peer that does not answer; its streams are lost', () => {
    const { peer, request, settings: all, events } = connected({ keepaliveIntervalMs, keepaliveTimeoutMs });
    const handler = request(false);
    peer.clock.advance(15_000);
    assert.deepEqual(peer.received().slice(1), ['PING 0 0000000000000001', 'GOAWAY 0 last=0 NO_ERROR']);
    assert.ok(peer.transport.isDestroyed);
    assert.deepEqual(handler.take(), ['reset connectionError 0 http2.ping_timeout before a response']);
    assert.deepEqual(events, ['http2.ping_timeout']);
    assert.equal(counted(all)['keepaliveTimeouts'], 1);
  });

  it('waits on while anything comes at all', () => {
    const { peer } = connected({ keepaliveIntervalMs, keepaliveTimeoutMs });
    peer.clock.advance(12_000);
    for (let second = 0; second < 20; second++) {
      peer.clock.advance(1000);
      peer.send(settings());
    }
    assert.equal(peer.transport.isDestroyed, false);
    peer.clock.advance(3000);
    assert.ok(peer.transport.isDestroyed);
  });

  it('asks when a stream is opened on a connection that has been silent for long', () => {
    const { peer, request } = connected({ keepaliveIdleIntervalMs: 5000, keepaliveTimeoutMs });
    request();
    assert.equal(peer.received().length, 1);
    peer.clock.advance(5001);
    request();
    request();
    const received = peer.received();
    assert.deepEqual(
      received.map((text) => text.split(' ')[0]),
      ['PING', 'HEADERS', 'HEADERS'],
    );
    peer.send(answerTo(received[0]!));
    peer.clock.advance(60_000);
    assert.deepEqual(peer.received(), []);
  });

  it('does nothing on a connection that has ended', () => {
    const { peer } = connected({ keepaliveIntervalMs, keepaliveTimeoutMs });
    peer.close();
    peer.clock.advance(60_000);
    assert.deepEqual(peer.received(), []);
    assert.equal(peer.context.timers.size, 0);
  });
});
