// A whole mesh in one process: 50 sidecars and the control plane, production code but for transport, clock, randomness,
// link security and disk, with an endpoint withdrawn, one crashed and restarted, and the control plane away for a while.
// `HEDDLE_SEED=<number> npm test simulation` replays a seed.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChild } from '@heddle/testkit';
import {
  countByService,
  countRequestsByInstance,
  crashVictims,
  findFailures,
  findMisrouted,
  findSkewedShares,
  findVisitsToTheGone,
  findWrongAnswers,
} from './support/judge.ts';
import { firstDifference } from './support/first-difference.ts';
import { runScenario, type SimulationRun } from './support/scenario.ts';

const seed = Number(process.env['HEDDLE_SEED'] ?? 20_260_101);

describe(`a mesh of 50 sidecars in memory, seed ${seed}`, () => {
  let run: SimulationRun;
  before(async () => {
    const started = performance.now();
    run = await runScenario(seed);
    const { mesh } = run;
    console.log(
      `seed ${seed}: ${(mesh.nowMs / 1000).toFixed(1)} virtual seconds in ${((performance.now() - started) / 1000).toFixed(1)} s, ` +
        `${mesh.traffic.records.length} requests (${crashVictims(run).length} died in the crash), ${mesh.lines.length} lines, digest ${mesh.digest}; ` +
        `replay it with: HEDDLE_SEED=${seed} npm test simulation`,
    );
  });

  test('no request fails but those on their way to an instance that dies', () => {
    assert.deepEqual(findFailures(run), []);
    const victims = crashVictims(run).length;
    assert.ok(victims < 10, `${victims} requests failed by one crash`);
  });

  test('every answer belongs to its request, and no body changes on the way', () => {
    assert.deepEqual(findWrongAnswers(run), []);
    for (const [service, count] of countByService(run)) assert.ok(count > 100, `${service}: ${count}`);
  });

  test('every request goes where the rules in force send it', () => {
    assert.deepEqual(findMisrouted(run), []);
  });

  test('the shares are those of the weights, and equal without rules', () => {
    assert.deepEqual(findSkewedShares(run), []);
  });

  test('a withdrawal is confirmed by all, and nothing is lost by it', () => {
    const { isAcknowledged, requestsLeft } = run.timeline.withdrawn;
    assert.equal(isAcknowledged, true);
    assert.equal(requestsLeft, 0);
  });

  test('nobody calls an instance that is known to be gone', () => {
    assert.deepEqual(findVisitsToTheGone(run), []);
  });

  test('an instance that died is forgotten when its grace time is over, and called again once it is back', () => {
    const { id, crashMs, forgottenMs, knownAgainMs } = run.timeline.crashed;
    const tookMs = forgottenMs - crashMs;
    assert.ok(tookMs >= 2000 && tookMs < 3000, `it took ${tookMs} ms`);
    const answered = countRequestsByInstance(run, knownAgainMs).get(id) ?? 0;
    assert.ok(answered > 0, `${id} has answered nothing since`);
  });

  test('requests go on while the control plane is away, also those of an instance restarted meanwhile', () => {
    const { outage, crashed } = run.timeline;
    const during = run.mesh.traffic.records.filter(
      ({ startMs }) => startMs > outage.startMs && startMs < outage.endMs,
    );
    assert.ok(during.length > 200, `${during.length} requests`);
    assert.ok(during.some(({ source, startMs }) => source === crashed.id && startMs > crashed.restartMs));
  });

  test('in the end nothing is in flight, and after closing no connection and no timer is left', () => {
    assert.deepEqual(run.inFlight, []);
    assert.deepEqual(run.leaks, []);
  });

  test('the same seed gives the same log, line for line', async () => {
    const program = fileURLToPath(new URL('support/print-run.ts', import.meta.url));
    const child = await runChild(process.execPath, { arguments: [program, String(seed)] }, 120_000);
    const again = JSON.parse(child.stdout) as { lines: string[]; digest: string };
    assert.equal(firstDifference(run.mesh.lines, again.lines), null);
    assert.equal(again.digest, run.mesh.digest);
  });
});
