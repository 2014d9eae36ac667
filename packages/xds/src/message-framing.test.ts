import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MessageDeframer, frameMessage } from './message-framing.ts';

describe('MessageDeframer', () => {
  it('gives the same messages however the bytes are split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.nat(300)),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(frameMessage));
          const received: Uint8Array[] = [];
          const deframer = new MessageDeframer(1000, (message) => received.push(message));
          const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted(
            (a, b) => a - b,
          );
          let start = 0;
          for (const end of ends) {
            // Memory that is somebody else's when the call returns.
            const scratch = Buffer.from(bytes);
            assert.equal(deframer.push(scratch, start, end), null);
            scratch.fill(0xdd);
            start = end;
          }
          assert.deepEqual(
            received.map((message) => Uint8Array.from(message)),
            messages,
          );
          assert.equal(deframer.isAtBoundary, true);
        },
      ),
    );
  });

  it('knows that a message is not complete', () => {
    const frame = frameMessage(Uint8Array.of(1, 2, 3));
    for (let length = 1; length < frame.length; length++) {
      const deframer = new MessageDeframer(1000, () => assert.fail('there is no message'));
      deframer.push(frame, 0, length);
      assert.equal(deframer.isAtBoundary, false);
    }
  });

  it('refuses a message above the limit before it has come', () => {
    const received: Uint8Array[] = [];
    const deframer = new MessageDeframer(3, (message) => received.push(message));
    const push = (frame: Buffer, end = frame.length): unknown => deframer.push(frame, 0, end);
    assert.equal(push(frameMessage(new Uint8Array(3))), null);
    assert.equal(push(frameMessage(new Uint8Array(4)), 5), 'too-large');
    assert.equal(push(frameMessage(new Uint8Array(1))), 'too-large');
    assert.equal(received.length, 1);
  });

  it('refuses compressed messages', () => {
    const frame = frameMessage(Uint8Array.of(1));
    frame[0] = 1;
    const deframer = new MessageDeframer(10, () => assert.fail('it is compressed'));
    assert.equal(deframer.push(frame, 0, frame.length), 'compressed');
  });
});
