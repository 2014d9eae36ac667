import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, HeddleError, ok, silentLogger } from '@heddle/base';
import { RenewalSchedule } from '@heddle/identity';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import { rejoining } from './rejoining.ts';

test('renews a certificate while it is good, and joins anew until that succeeds once it has expired', async () => {
  const clock = new VirtualClock();
  const start = clock.now();
  let validity = { notBeforeMs: start, notAfterMs: start + 100_000 };
  let isAway = true;
  const asked: string[] = [];
  const away = err(new HeddleError('HEDDLE_CERTIFICATE_REFUSED', 'away'));
  const renewable = {
    validity: () => validity,
    isUrgent: () => false,
    renew: () => {
      asked.push('renew');
      return Promise.resolve(away);
    },
  };
  const rejoin = () => {
    asked.push('join');
    if (isAway) return Promise.resolve(away);
    validity = { notBeforeMs: clock.now(), notAfterMs: clock.now() + 100_000 };
    return Promise.resolve(ok(undefined));
  };
  const schedule = new RenewalSchedule({
    renewable: rejoining(renewable, { clock, logger: silentLogger, rejoin }),
    name: 'x',
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
  });
  schedule.start();
  await clock.advanceAsync(99_000);
  assert.deepEqual(new Set(asked), new Set(['renew']));
  asked.length = 0;
  await clock.advanceAsync(300_000);
  assert.ok(asked.length > 2 && asked.slice(1).every((what) => what === 'join'), asked.join());
  isAway = false;
  await clock.advanceAsync(70_000);
  assert.ok(validity.notAfterMs > clock.now(), 'it has a new one');
  schedule.close();
});
