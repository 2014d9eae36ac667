// A mesh whose configuration is the files of a directory.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@heddle/testkit';
import { Mesh } from '../../e2e/support/mesh.ts';
import { assertRefused } from '../../e2e/support/refusal.ts';

const rule = (uri: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings }
spec:
  hosts: [ratings.example.com]
  http: [{ match: [{ uri: { exact: ${uri} } }], route: [{ destination: { host: ratings } }] }]
`;

test('files are the configuration: followed, not written, with a history', async () => {
  await using directory = await temporaryDirectory();
  await mkdir(`${directory.path}/shop`);
  const file = `${directory.path}/shop/ratings.yaml`;
  await writeFile(file, rule('/one'));
  await using mesh = await Mesh.start(['--datastore', `dir:${directory.path}`]);
  assert.match((await mesh.heddle(['get', 'vs', 'ratings', '-o', 'yaml'])).stdout, /exact: \/one/);

  await mesh.write('other.yaml', rule('/two'));
  const refused = await mesh.heddle(['apply', '-f', 'other.yaml']);
  assertRefused(refused, 1, /^error: The configuration of this mesh is the files in .*: change them/);
  assert.match(refused.stderr, /HEDDLE_STORE_READ_ONLY/);
  assertRefused(await mesh.heddle(['rollback']), 1, /HEDDLE_STORE_READ_ONLY/);

  await writeFile(file, rule('/three'));
  await eventually('the change is taken', async () =>
    (await mesh.heddle(['get', 'vs', 'ratings', '-o', 'yaml'])).stdout.includes('exact: /three'),
  );
  assert.match(
    (await mesh.heddle(['history'])).stdout,
    /\n +2 .* files +VirtualService default\/ratings configured/,
  );
  await mesh.killControlPlane();
  await mesh.startControlPlane();
  assert.match((await mesh.heddle(['history'])).stdout, /\n +2 .* files /, 'nothing is taken twice');
});
