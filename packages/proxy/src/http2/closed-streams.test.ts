import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ClosedBy, ClosedStreams } from './closed-streams.ts';

it('remembers who reset the last streams, and does not guess about those before', () => {
  const closed = new ClosedStreams();
  assert.equal(closed.howClosed(1), ClosedBy.end);
  closed.add(1, ClosedBy.ownReset);
  closed.add(3, ClosedBy.peerReset);
  assert.deepEqual(
    [1, 3, 5].map((id) => closed.howClosed(id)),
    [ClosedBy.ownReset, ClosedBy.peerReset, ClosedBy.end],
  );
  for (let id = 7; id < 7 + 2 * 256; id += 2) closed.add(id, ClosedBy.ownReset);
  assert.deepEqual(
    [1, 3].map((id) => closed.howClosed(id)),
    [ClosedBy.unknown, ClosedBy.unknown],
  );
  assert.deepEqual(
    [5, 7].map((id) => closed.howClosed(id)),
    [ClosedBy.end, ClosedBy.ownReset],
  );
});
