import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type HeddleError, silentLogger, systemClock } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import { eventually } from '@heddle/testkit';
import { noConnectionLimits } from '../listener/connection-admission.ts';
import { defaultDrain } from '../stack/proxy.ts';
import type { ThreadCommand } from './thread-command.ts';
import { WorkerPool } from './worker-pool.ts';

/** No thread can take it: the main thread has checked what it posts. */
const poison: ThreadCommand = { type: 'apply', typeUrl: TypeUrl.cluster, name: 'x', bytes: Buffer.from('?') };

interface Started {
  readonly pool: WorkerPool;
  readonly catchUps: () => number;
  readonly failures: readonly HeddleError[];
}

function startPool(t: TestContext): Started {
  let catchUps = 0;
  const failures: HeddleError[] = [];
  const pool = new WorkerPool({
    count: 1,
    settings: {
      logLevel: 'off',
      logFields: {},
      drain: defaultDrain,
      viaName: 'test',
      workload: null,
      ticketSecret: Buffer.alloc(32),
      limits: noConnectionLimits,
      listensWhenWarm: true,
    },
    clock: systemClock,
    logger: silentLogger,
    catchUp: () => {
      catchUps++;
      return [{ type: 'commit', typeUrl: TypeUrl.listener }];
    },
    onFailed: (error) => failures.push(error),
  });
  t.after(() => pool.close());
  return { pool, catchUps: () => catchUps, failures };
}

test('a thread that ends is started again with what the others have', async (t) => {
  const { pool, catchUps, failures } = startPool(t);
  assert.deepEqual(await pool.clusters(), [[]]);
  pool.post(poison);
  await eventually('it is started again', () => catchUps() === 1);
  assert.deepEqual(await pool.clusters(), [[]], 'and answers');
  assert.deepEqual(failures, []);
});

test('threads that keep ending end the process, with the reason', async (t) => {
  const { pool, catchUps, failures } = startPool(t);
  for (let crash = 1; crash <= 5; crash++) {
    pool.post(poison);
    await eventually('it is started again', () => catchUps() === crash);
  }
  pool.post(poison);
  await eventually('it is given up', () => failures.length === 1);
  assert.equal(failures[0]?.code, 'HEDDLE_WORKER_FAILED');
  assert.match(failures[0].message, /6 times within a minute, the last one with: .*all of them/);
});
