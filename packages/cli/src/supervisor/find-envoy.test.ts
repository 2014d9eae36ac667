import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@heddle/testkit';
import { CliError } from '../cli-error.ts';
import { findEnvoy } from './find-envoy.ts';

test('Envoy is what the flag names, or else the variable, or else in PATH', async () => {
  await using directory = await temporaryDirectory('heddle-envoy');
  const { path: PATH } = directory;
  const path = (name: string): string => join(PATH, name);
  for (const name of ['envoy', 'other', 'third']) await writeFile(path(name), '', { mode: 0o755 });
  const variable = { PATH, HEDDLE_ENVOY: path('other') };
  assert.equal(await findEnvoy(path('third'), variable), path('third'));
  assert.equal(await findEnvoy(null, variable), path('other'));
  assert.equal(await findEnvoy(null, { PATH, HEDDLE_ENVOY: '' }), path('envoy'));
  const isNamed = (error: unknown): boolean =>
    error instanceof CliError && error.code === 'HEDDLE_NO_ENVOY' && error.message.includes("'fourth'");
  await assert.rejects(findEnvoy('fourth', variable), isNamed);
});
