// Valid and invalid resources as a Kubernetes API server with Istio's CRDs judges them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import { parseManifests } from '@heddle/model';
import { suiteFolder } from './model-data.ts';
import { explain } from './model-deviations.ts';

const suite = 'istio-crd-validation';
const folder = suiteFolder(suite);

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly valid: boolean;
  readonly errorContains: string | null;
  readonly yaml: string;
}

type Verdict = 'passed' | 'failed' | 'deviates' | 'skipped';

function judge(one: Case, failures: string[]): Verdict {
  const { objects, problems } = parseManifests([{ name: one.id, text: one.yaml }], { namespace: 'default' });
  const fail = (): Verdict => {
    failures.push(
      `${one.id}: expected ${one.errorContains ?? 'no problem'}\n${problems.map(formatProblem).join('\n')}`,
    );
    return 'failed';
  };
  if (one.valid) {
    if (objects.length === 1) return 'passed';
    return explain(suite, problems) === undefined ? fail() : 'deviates';
  }
  if (objects.length > 0) return fail();
  // Refused for the right reason: at the field that the data's message names, where it names one.
  const path = /^[^ :]*/.exec(one.errorContains ?? '')![0];
  const isRight = problems.some((problem) => {
    return problem.severity === 'error' && (!path.startsWith('spec.') || problem.path === path);
  });
  return isRight ? 'passed' : fail();
}

test("judges resources as Istio's CRDs do", { skip: folder === undefined }, () => {
  const cases = JSON.parse(readFileSync(join(folder!, 'cases.json'), 'utf8')) as readonly Case[];
  const failures: string[] = [];
  const count: Record<Verdict, number> = { passed: 0, failed: 0, deviates: 0, skipped: 0 };
  for (const one of cases) count[judge(one, failures)]++;
  const { passed, failed, deviates, skipped } = count;
  console.log(`${suite}: passed ${passed}, failed ${failed}, deviates ${deviates}, skipped ${skipped}`);
  assert.deepEqual(failures, []);
  assert.ok(passed > 0);
});
