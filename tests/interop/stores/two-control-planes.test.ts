// Two control planes on one etcd are one mesh: configuration, identities, tokens and instances.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdServer, eventually, skipWithout } from '@heddle/testkit';
import { Mesh } from '../../e2e/support/mesh.ts';
import { send } from '../../e2e/support/requests.ts';
import { bookstore } from '../../e2e/support/sandbox.ts';

const skip = skipWithout({ etcd: EtcdServer.find() });

const teapot = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings }
spec:
  hosts: [ratings]
  http: [{ match: [{ uri: { exact: /only } }], route: [{ destination: { host: ratings } }] }]
`;

test('a sidecar of one calls an instance of the other, steered by either', { skip }, async (t) => {
  await using etcd = await EtcdServer.start();
  const flags = ['--datastore', `etcd://${etcd.endpoint}/two`];
  await using first = await Mesh.start(flags);
  await using second = await Mesh.start(flags);
  const ratings = await first.publish('ratings', [process.execPath, bookstore('ratings.js')]);
  await eventually('the other knows the instance', async () => (await second.endpoints()).length === 1);
  const client = await second.client(['ratings:9080']);
  const ask = async (path: string): Promise<number> =>
    (await send({ url: `${client.url('ratings')}${path}` })).status;
  await eventually('over mTLS from one to the other', async () => (await ask('/ratings/0')) === 200);

  await first.apply(teapot);
  await eventually('a rule given to one holds at the other', async () => (await ask('/ratings/0')) === 404);
  assert.equal((await second.heddle(['rollback'])).exit?.code, 0);
  await eventually('and is taken back there', async () => (await ask('/ratings/0')) === 200);
  assert.match((await first.heddle(['history'])).stdout, /\n +2 .*deleted.*\n +1 .*created/);

  // A control plane that is gone takes nothing of its sidecar with it but its place in the list, after ten seconds.
  await first.killControlPlane();
  const killed = performance.now();
  await first.startControlPlane();
  await eventually(
    'its sidecar has come back to it',
    async () => (await first.endpoints()).some(({ state }) => state === 'ready'),
    20_000,
  );
  t.diagnostic(`back ${Math.round(performance.now() - killed)} ms after the kill`);
  assert.equal(await ask('/ratings/0'), 200);
  ratings.run.kill('SIGTERM');
  await eventually('a withdrawal is known everywhere', async () => (await second.endpoints()).length === 0);
});
