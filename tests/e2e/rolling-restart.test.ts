// Instances come and go under load without anybody noticing, because each end has its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, isListening } from '@heddle/testkit';
import { describeLoad, type Judge, Load } from './support/load.ts';
import { Mesh, type Workload } from './support/mesh.ts';
import { send } from './support/requests.ts';
import { bookstore, stablePort, testApp } from './support/sandbox.ts';

const versions = ['v1', 'v2', 'v3'];

/** The product page answers 200 also when reviews fails: what it says of reviews counts. */
const judgePage: Judge = ({ status, body }) => {
  if (status !== 200) return `${status} ${body.slice(0, 200)}`;
  const { reviews, details } = JSON.parse(body) as Record<string, { readonly problem: string | null }>;
  return reviews?.problem ?? details?.problem ?? '';
};

/** Asks again and again for some time, in which the condition must hold. */
async function holds(what: string, condition: () => Promise<boolean>, forMs: number): Promise<void> {
  const started = performance.now();
  await eventually(what, async () => {
    assert.ok(await condition(), what);
    return performance.now() - started > forMs;
  });
}

test('all instances of reviews restarted one after the other under load: no request fails', async (t) => {
  await using mesh = await Mesh.start();
  const exposed = await stablePort();
  const node = (file: string, ...words: string[]): string[] => [process.execPath, bookstore(file), ...words];
  const upstreams = (...names: string[]): string[] => names.flatMap((name) => ['--upstream', `${name}:9080`]);
  const startReviews = async (version: string): Promise<Workload> =>
    await mesh.publish('reviews', node('reviews.js', version), { version, flags: upstreams('ratings') });
  const [client, , , , ...started] = await Promise.all([
    mesh.client(['reviews:9080']),
    mesh.publish('ratings', node('ratings.js'), { version: 'v1' }),
    mesh.publish('details', node('details.js'), { version: 'v1' }),
    mesh.publish('productpage', node('productpage.js'), {
      flags: ['--expose', `${exposed}`, ...upstreams('details', 'reviews')],
    }),
    ...versions.map(startReviews),
  ]);
  await mesh.synced(7);

  await using direct = new Load({ url: `${client.url('reviews')}/reviews/0` }, 220);
  await using page = new Load({ url: `http://127.0.0.1:${exposed}/api/product` }, 30, judgePage);
  await direct.more(100);
  for (const [index, version] of versions.entries()) {
    const old = started[index]!;
    old.run.kill('SIGTERM');
    assert.deepEqual(await old.run.ended(), { code: 0, signal: null }, old.run.output);
    await startReviews(version);
    await direct.more(50);
  }
  const [directReport, pageReport] = await Promise.all([direct.stop(), page.stop()]);
  t.diagnostic(`through a client's sidecar: ${describeLoad(directReport)}`);
  t.diagnostic(`through the product page: ${describeLoad(pageReport)}`);
  assert.deepEqual(directReport.failures, []);
  assert.deepEqual(pageReport.failures, []);
  assert.ok(directReport.rate >= 200, `200 requests per second were sent, not ${directReport.rate}`);
});

test('SIGTERM: withdrawn and acknowledged, drained, then the application is ended and its exit code passed on', async () => {
  await using mesh = await Mesh.start();
  const [client, workload] = await Promise.all([
    mesh.client(['orderly:9080']),
    mesh.publish('orderly', [process.execPath, testApp('orderly.ts')]),
  ]);
  const { run } = workload;
  await mesh.synced(2);
  const held = send({ url: `${client.url('orderly')}/hold` });
  await run.line(/^holding a request$/);

  const inboundPort = (await mesh.endpoints())[0]!.port;
  const accepts = (): Promise<boolean> => isListening(inboundPort);
  const clientPid = client.sidecarPid();
  process.kill(clientPid, 'SIGSTOP');
  run.kill('SIGTERM');
  await eventually('the instance is withdrawn', async () => (await mesh.endpoints()).length === 0);
  await holds('it still serves a client that has not heard of that', accepts, 500);
  process.kill(clientPid, 'SIGCONT');
  await eventually('it accepts no connections any more', async () => !(await accepts()));
  await eventually('the client knows of no instance any more', async () => {
    const { status } = await send({ url: `${client.url('orderly')}/` });
    return status === 503;
  });
  assert.doesNotMatch(run.output, /SIGTERM/, 'the application has not been told while a request is running');
  assert.equal(run.exit, null);

  // Past its sidecar, because there is no other way to it any more.
  const [, port] = await run.line(/^port (\d+)$/);
  await send({ url: `http://127.0.0.1:${port}/release` });
  const answer = await held;
  assert.deepEqual([answer.status, answer.body], [200, 'released\n']);
  assert.deepEqual(await run.ended(), { code: 7, signal: null }, run.output);
  assert.match(run.output, /^SIGTERM with 0 requests held$/m);
  assert.doesNotMatch(run.output, /warning/, 'everything was acknowledged and ended in time');
});

test('an application that ends by itself takes its instance along, and its exit code is passed on', async () => {
  await using mesh = await Mesh.start();
  const script = `const server = require('node:http').createServer((q, s) => {
    s.end('bye');
    setImmediate(() => process.exit(3));
  }).listen(process.env.PORT, '127.0.0.1')`;
  const [client, { run }] = await Promise.all([
    mesh.client(['mortal:9080']),
    mesh.publish('mortal', [process.execPath, '-e', script]),
  ]);
  await mesh.synced(2);
  assert.equal((await send({ url: client.url('mortal') })).status, 200);
  assert.deepEqual(await run.ended(), { code: 3, signal: null }, run.output);
  assert.deepEqual(await mesh.endpoints(), [], 'withdrawn by the time that heddle run has ended');
});
