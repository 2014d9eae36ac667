import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MessageCounter } from './message-counter.ts';

function message(length: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(5 + length, 0xff);
  bytes[0] = flags;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** What is counted of `bytes` that come in pieces of these sizes, the last repeated. */
function count(bytes: Buffer, sizes: readonly number[]): { count: number; between: boolean; told: number } {
  const counter = new MessageCounter();
  let told = 0;
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const end = Math.min(at + (sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length), bytes.length);
    told += counter.take(bytes, at, end);
    at = end;
  }
  return { count: counter.count, between: counter.isBetweenMessages, told };
}

test('counts messages, empty and compressed ones and those with unknown flags too', () => {
  const bytes = Buffer.concat([message(3), message(0), message(0), message(300, 1), message(2, 7)]);
  assert.deepEqual(count(bytes, [bytes.length]), { count: 5, between: true, told: 5 });
});

test('a message counts with its first byte', () => {
  const bytes = Buffer.concat([message(3), Buffer.from([0])]);
  assert.deepEqual(count(bytes, [bytes.length]), { count: 2, between: false, told: 2 });
});

test('a length above 2 GiB is not taken for a negative one', () => {
  const counter = new MessageCounter();
  counter.take(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), 0, 8);
  const rest = Buffer.alloc(65_536);
  for (let left = 0xffff_ffff - 3; left > 0; left -= rest.length) {
    assert.ok(!counter.isBetweenMessages);
    assert.equal(counter.take(rest, 0, Math.min(left, rest.length)), 0);
  }
  assert.ok(counter.isBetweenMessages);
  assert.equal(counter.take(message(0), 0, 5), 1);
});

test('any split of the bytes gives the same count', () => {
  const lengths = fc.array(fc.nat({ max: 70 }), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
  fc.assert(
    fc.property(lengths, sizes, fc.nat({ max: 74 }), (lengths, sizes, cut) => {
      const whole = Buffer.concat([
        ...lengths.map((length) => message(length)),
        message(70).subarray(0, cut),
      ]);
      assert.deepEqual(count(whole, sizes), {
        count: lengths.length + (cut > 0 ? 1 : 0),
        between: cut === 0,
        told: lengths.length + (cut > 0 ? 1 : 0),
      });
    }),
  );
});

test('takes one message after the other where that is asked', () => {
  const bytes = Buffer.concat([message(3), message(0), message(2)]);
  const counter = new MessageCounter();
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ends.push(at)) at = counter.takeMessage(bytes, at, bytes.length);
  assert.deepEqual(ends, [8, 13, 20]);
});
