import assert from 'node:assert/strict';
import { SeededRandom } from '@heddle/testkit';
import {
  type Role,
  outcomeOf,
  randomConversation,
} from '../../packages/proxy/src/http2/test-conversations.ts';
import { mutateFrames } from '../grammar/http2.ts';
import { type FuzzTarget, randomCuts } from '../target.ts';

/** What one role makes of a peer's frames: the same however they are cut, and nothing is left behind. */
function frames(role: Role): FuzzTarget {
  return {
    name: `http2-frames-${role}`,
    seeds: Array.from({ length: 20 }, (_, seed) =>
      randomConversation(role, new SeededRandom(`${role} ${seed}`)),
    ),
    mutate: mutateFrames,
    run: (input, random) => {
      const bytes = Buffer.from(input);
      const whole = outcomeOf(role, bytes, []);
      for (const name of ['streamsActive', 'pendingSendBytes', 'outboundFramesActive']) {
        assert.equal(name in whole.counters, false, `${name} after the end of the connection`);
      }
      assert.ok(whole.sent.length < 3000, 'what is sent is bounded');
      const cuts = randomCuts(bytes.length, 6, random);
      assert.deepEqual(outcomeOf(role, bytes, cuts), whole, 'any split of the bytes gives the same result');
    },
  };
}

/** Frames of a client. */
export const http2Requests: FuzzTarget = frames('server');
/** Frames of a server. */
export const http2Responses: FuzzTarget = frames('client');
