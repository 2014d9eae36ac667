import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import type { Http2Stream } from './http2-stream.ts';
import { StreamTable } from './stream-table.ts';

it('finds what is in it, and nothing else, however streams come and go', () => {
  const random = new SeededRandom('table');
  const table = new StreamTable();
  const expected = new Map<number, Http2Stream>();
  for (let round = 0; round < 50_000; round++) {
    const limit = round % 10_000 < 5000 ? 400 : 0;
    const id = random.integer(1, 2000) * 2 - 1;
    const held = expected.get(id);
    if (held !== undefined && random.chance(0.8)) {
      table.remove(held);
      expected.delete(id);
    } else if (held === undefined && expected.size < limit) {
      // Nothing but its id matters here.
      const stream = { id } as Http2Stream;
      table.add(stream);
      expected.set(id, stream);
    }
    assert.equal(table.size, expected.size);
    const asked = random.integer(1, 2000) * 2 - 1;
    assert.equal(table.find(asked), expected.get(asked) ?? null);
    assert.equal(table.find(id), expected.get(id) ?? null);
  }
  assert.deepEqual(new Set(table.all()), new Set(expected.values()));
});
