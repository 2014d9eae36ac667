import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel, systemClock, systemRandom } from '@heddle/base';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import { Endpoint } from '../cluster/endpoint.ts';
import { RetryState } from './retry-state.ts';

/** Nobody connects. */
const noPool = { close: () => undefined, dropConnections: () => undefined } as unknown as ConnectionPool;

function endpoint(port: number): Endpoint<ConnectionPool> {
  return new Endpoint<ConnectionPool>('127.0.0.1', port, 1, 'healthy', () => noPool);
}

test('an endpoint where the request has been is picked anew, as often as is allowed', () => {
  const timers = new TimerWheel(systemClock);
  const retries = new RetryState({ timers, shortTimers: timers }, systemRandom, () => undefined);
  const [a, b, c] = [endpoint(1), endpoint(2), endpoint(3)];
  const choose = (...picks: (Endpoint<ConnectionPool> | null)[]): number | undefined => {
    const chosen = retries.choose(2, () => picks.shift() ?? null);
    assert.deepEqual(picks, [], 'all were asked for');
    return chosen?.port;
  };
  assert.equal(choose(a), 1);
  assert.equal(choose(a, b), 2);
  assert.equal(choose(b, a, b), 2, 'the last one is taken as it is');
  assert.equal(choose(a, c), 3);
  assert.equal(choose(null), undefined);
  retries.end();
  assert.equal(choose(a), 1);
});
