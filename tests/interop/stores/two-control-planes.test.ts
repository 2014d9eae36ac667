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

  // The client has joined at the second and knows the first; the sidecar of ratings joined when there was no other yet.
  await second.killControlPlane();
  const killed = performance.now();
  await eventually(
    'the sidecar of the one that is gone is steered by the other',
    async () => (await first.proxies()).length === 2,
    30_000,
  );
  t.diagnostic(`there ${Math.round(performance.now() - killed)} ms after the kill`);
  await first.apply(teapot);
  await eventually('and hears of a change there', async () => (await ask('/ratings/0')) === 404);
  assert.equal((await first.heddle(['rollback'])).exit?.code, 0);
  await eventually('and of the next', async () => (await ask('/ratings/0')) === 200);
  await second.startControlPlane();
  await eventually('it knows all when it is back', async () => (await second.endpoints()).length === 1);
  ratings.run.kill('SIGTERM');
  await eventually('a withdrawal is known everywhere', async () => (await second.endpoints()).length === 0);
});
