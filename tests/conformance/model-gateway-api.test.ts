// The manifests of the Gateway API's own conformance tests: every object is read, and none is found invalid.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import { parseManifests } from '@heddle/model';
import { suiteFolder } from './model-data.ts';

const suite = 'gateway-api-http';
const folder = suiteFolder(suite);

test("accepts the Gateway API's own manifests", { skip: folder === undefined }, () => {
  let passed = 0;
  const failures: string[] = [];
  for (const name of globSync('{base,manifests}/**/*.yaml', { cwd: folder! })) {
    const text = readFileSync(join(folder!, name), 'utf8').replaceAll('{GATEWAY_CLASS_NAME}', 'heddle');
    const { objects, problems } = parseManifests([{ name, text }], { namespace: 'default' });
    passed += objects.length;
    failures.push(...problems.filter(({ severity }) => severity === 'error').map(formatProblem));
  }
  console.log(`${suite}, manifests: passed ${passed}, failed ${failures.length}, deviates 0, skipped 0`);
  assert.deepEqual(failures, []);
  assert.ok(passed > 0);
});
