// Simulated meshes from many seeds. `HEDDLE_SEED` is the first one, `HEDDLE_SOAK_SEEDS` how many follow each other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contradictions } from '../simulation/support/judge.ts';
import { runScenario } from '../simulation/support/scenario.ts';

const firstSeed = Number(process.env['HEDDLE_SEED'] ?? 1);
const seeds = Number(process.env['HEDDLE_SOAK_SEEDS'] ?? 25);

describe('a mesh of 50 sidecars in memory', () => {
  const digests = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    test(`holds what it must with seed ${seed}, and gives another log than the seed before`, async () => {
      const replay = `replay it with: HEDDLE_SEED=${seed} HEDDLE_SOAK_SEEDS=1 npm run soak`;
      const run = await runScenario(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed} breaks off; ${replay}`, { cause: error });
      });
      assert.equal(contradictions(run).join('\n'), '', replay);
      assert.ok(!digests.has(run.mesh.digest), `${run.mesh.digest} came before`);
      digests.add(run.mesh.digest);
    });
  }
});
