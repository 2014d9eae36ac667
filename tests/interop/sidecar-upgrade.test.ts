// A sidecar replaced in place: its supervisor gets SIGUSR2, a new one serves on the same sockets, no request fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sidecarEntry } from '@heddle/proxy';
import { descendantsOf, eventually } from '@heddle/testkit';
import { type Judge, Load, describeLoad } from '../e2e/support/load.ts';
import { Mesh, type Workload } from '../e2e/support/mesh.ts';
import { send } from '../e2e/support/requests.ts';
import { bookstore, stablePort } from '../e2e/support/sandbox.ts';

const node = (...words: string[]): string[] => [process.execPath, ...words];

/** Ratings, but answers `/1000` after a second. */
const slowRatings = `require('node:http').createServer((request, response) => {
  const answer = () => response.end(JSON.stringify({ ratings: { Dolly: 5, Godfrey: 4 }, pid: process.pid }));
  setTimeout(answer, Number(request.url.slice(1)));
}).listen(process.env.PORT, '127.0.0.1')`;

/** Reviews answers 200 also when ratings fails: what it says of ratings counts. */
const judge: Judge = ({ status, body }) =>
  status === 200 && body.includes('"stars"') ? '' : `${status} ${body}`;

const sidecarsOf = (supervisor: number): number[] =>
  descendantsOf(supervisor)
    .filter(({ command }) => command.includes(sidecarEntry))
    .map(({ pid }) => pid);
const lives = ({ run }: Workload, old: number): boolean => sidecarsOf(run.pid).includes(old);
const replacements = ({ run }: Workload): number => run.output.split('a new sidecar serves').length - 1;

for (const concurrency of [1, 3]) {
  test(`sidecars of ${concurrency} thread(s) are replaced without a failed request`, async (t) => {
    await using mesh = await Mesh.start();
    const exposed = await stablePort();
    const threads = ['--concurrency', `${concurrency}`];
    const [client, ratings, reviews] = await Promise.all([
      mesh.client(['ratings:9080'], threads),
      mesh.publish('ratings', node('-e', slowRatings), { version: 'v1', flags: threads }),
      mesh.publish('reviews', node(bookstore('reviews.js'), 'v2'), {
        version: 'v2',
        flags: [...threads, '--expose', `${exposed}`, '--upstream', 'ratings:9080'],
      }),
    ]);
    await mesh.synced(3);
    const instances = (await mesh.endpoints()).map(({ instance }) => instance).sort();
    const applicationPid = async (): Promise<number> =>
      (JSON.parse((await send({ url: `${client.url('ratings')}/` })).body) as { pid: number }).pid;
    const pid = await applicationPid();

    await using load = new Load({ url: `http://127.0.0.1:${exposed}/reviews/0` }, 100, judge);
    await using other = new Load({ url: `${client.url('ratings')}/`, method: 'POST' }, 50);
    await load.more(100);
    for (const [workload, times] of [
      [ratings, 1],
      [reviews, 1],
      [client, 1],
      [ratings, 2],
    ] as const) {
      const held = send({ url: `${client.url('ratings')}/1000` });
      workload.run.kill('SIGUSR2');
      await eventually('a new one serves', () => replacements(workload) === times);
      assert.equal((await held).status, 200, 'a request that runs meanwhile ends well');
      await load.more(100);
    }
    for (const report of [await load.stop(), await other.stop()]) {
      t.diagnostic(describeLoad(report));
      assert.deepEqual(report.failures.slice(0, 5), []);
    }
    // Nobody uses the links of some threads any more: their peers are asked to go all the same.
    for (const { run } of [client, ratings, reviews])
      await eventually('the old sidecars have ended', () => sidecarsOf(run.pid).length === 1);
    await mesh.synced(3);
    assert.equal(await applicationPid(), pid, 'the application has not noticed');
    const endpoints = await mesh.endpoints();
    assert.deepEqual(endpoints.map(({ instance }) => instance).sort(), instances);
    assert.ok(endpoints.every(({ state }) => state === 'ready'));

    for (const { run } of [client, ratings, reviews]) {
      assert.doesNotMatch(run.output, /heddle: warning/);
      run.kill('SIGTERM');
      await run.ended();
    }
  });
}

test('the end of the workload waits for requests of a sidecar that was replaced', async () => {
  await using mesh = await Mesh.start();
  const [client] = await Promise.all([
    mesh.client(['ratings:9080']),
    mesh.publish('ratings', node('-e', slowRatings), { version: 'v1' }),
  ]);
  await mesh.synced(2);
  const old = client.sidecarPid();
  const held = send({ url: `${client.url('ratings')}/4000` });
  client.run.kill('SIGUSR2');
  await client.run.line(/a new sidecar serves/);
  assert.ok(lives(client, old), 'the old one has a request yet');
  client.run.kill('SIGTERM');
  assert.equal((await held).status, 200);
  await client.run.ended();
  assert.doesNotMatch(client.run.output, /heddle: warning/);
});

test('a sidecar is replaced while the control plane is away, by its identity and its snapshot', async () => {
  await using mesh = await Mesh.start();
  const [client, ratings] = await Promise.all([
    mesh.client(['ratings:9080']),
    mesh.publish('ratings', node(bookstore('ratings.js')), { version: 'v1' }),
  ]);
  await mesh.synced(2);
  await mesh.killControlPlane();
  await using load = new Load({ url: `${client.url('ratings')}/ratings/0` }, 50);
  for (const workload of [ratings, client]) {
    const old = workload.sidecarPid();
    workload.run.kill('SIGUSR2');
    await eventually('the old sidecar has ended', () => !lives(workload, old));
    await load.more(50);
  }
  assert.deepEqual((await load.stop()).failures, []);
  await mesh.startControlPlane();
  await mesh.synced(2);
  await eventually('the instance is ready again', async () => (await mesh.endpoints())[0]?.state === 'ready');
});
