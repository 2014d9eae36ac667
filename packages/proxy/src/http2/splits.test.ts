import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { outcomeOf, randomConversation } from './test-conversations.ts';

describe('any split of the bytes', () => {
  for (const role of ['server', 'client'] as const) {
    it(`tells a ${role} the same, and has it answer the same`, () => {
      for (let seed = 0; seed < 400; seed++) {
        const random = new SeededRandom(`${role} ${seed}`);
        const bytes = randomConversation(role, random);
        const whole = outcomeOf(role, bytes, []);
        const single = Array.from({ length: Math.min(bytes.length, 3000) - 1 }, (_, index) => index + 1);
        assert.deepEqual(outcomeOf(role, bytes, single), whole, `seed ${seed}, byte by byte`);
        for (let time = 0; time < 3; time++) {
          const cuts = Array.from({ length: random.integer(1, 20) }, () =>
            random.integer(0, bytes.length),
          ).toSorted((a, b) => a - b);
          assert.deepEqual(outcomeOf(role, bytes, cuts), whole, `seed ${seed}, cut at ${cuts.join()}`);
        }
      }
    });
  }

  it('is of conversations in which most things happen', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const { told, sent } = outcomeOf(
        'server',
        randomConversation('server', new SeededRandom(`server ${seed}`)),
        [],
      );
      for (const text of [...told.flat(), ...sent]) seen.add(text.split(' ')[0]!);
    }
    assert.deepEqual([...seen].toSorted(), [
      'GOAWAY',
      'HEADERS',
      'PING',
      'RST_STREAM',
      'SETTINGS',
      'closed',
      'data',
      'end',
      'headers',
      'reset',
      'trailers',
    ]);
  });
});
