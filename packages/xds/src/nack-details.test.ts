import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Status } from './generated/google/rpc/status.ts';
import { rejectionStatus, rejectionsOf } from './nack-details.ts';

const names = ['reviews', 'ratings'];

/** What the reasons are after a journey over the wire. */
function received(status: Status): [string, string][] {
  return [...rejectionsOf(Status.decode(Status.encode(status).finish()), names)];
}

describe('rejectionsOf', () => {
  it('gives each refused resource the reason that our client gave', () => {
    const status = rejectionStatus(new Map([['ratings', 'lb_policy: no; and reviews is mentioned']]));
    assert.deepEqual(received(status), [['ratings', 'lb_policy: no; and reviews is mentioned']]);
    assert.equal(status.message, 'ratings: lb_policy: no; and reviews is mentioned');
  });

  it('ignores reasons for what the response did not hold', () => {
    const status = rejectionStatus(new Map([['other', 'no']]));
    assert.deepEqual(received(status), [
      ['reviews', 'other: no'],
      ['ratings', 'other: no'],
    ]);
  });

  it('takes what the sentence of another client mentions for refused, and everything where it mentions nothing', () => {
    const message = 'Error adding/updating cluster(s) ratings: no such policy';
    assert.deepEqual(received(Status.fromPartial({ code: 13, message })), [['ratings', message]]);
    assert.deepEqual(received(Status.fromPartial({ code: 13, message: 'no' })), [
      ['reviews', 'no'],
      ['ratings', 'no'],
    ]);
  });

  it('keeps the reason for a response that held nothing', () => {
    assert.deepEqual([...rejectionsOf(Status.fromPartial({ code: 13, message: 'no' }), [])], [['', 'no']]);
  });

  it('reads the sentence when the details are garbled', () => {
    const status = rejectionStatus(new Map([['ratings', 'no']]));
    status.details[0]!.value = Uint8Array.of(0xff);
    assert.deepEqual(received(status), [['ratings', 'ratings: no']]);
  });

  it('keeps the sentence short, however many are refused', () => {
    const reasons = new Map(Array.from({ length: 1000 }, (_, index) => [`name-${index}`, 'x'.repeat(100)]));
    const status = rejectionStatus(reasons);
    assert.ok(status.message.length < 5000);
    assert.equal(rejectionsOf(status, [...reasons.keys()]).size, 1000);
  });
});
