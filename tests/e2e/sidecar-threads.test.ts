// Sidecars of several threads are sidecars like the others: mTLS between them, counts added up, nothing dropped at the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@heddle/testkit';
import { type Judge, Load } from './support/load.ts';
import { Mesh, type Workload } from './support/mesh.ts';
import { bookstore, stablePort } from './support/sandbox.ts';

const node = (file: string, ...words: string[]): string[] => [process.execPath, bookstore(file), ...words];

/** Reviews answers 200 also when ratings fails: what it says of ratings counts. */
const judge: Judge = ({ status, body }) =>
  status === 200 && body.includes('"stars"') ? '' : `${status} ${body}`;

test('a caller and a callee with three threads each', async () => {
  await using mesh = await Mesh.start();
  const exposed = await stablePort();
  const threads = ['--concurrency', '3'];
  const [ratings, reviews] = await Promise.all([
    mesh.publish('ratings', node('ratings.js'), { version: 'v1', flags: threads }),
    mesh.publish('reviews', node('reviews.js', 'v2'), {
      version: 'v2',
      flags: [...threads, '--expose', `${exposed}`, '--upstream', 'ratings:9080'],
    }),
  ]);
  await mesh.synced(2);
  await using load = new Load({ url: `http://127.0.0.1:${exposed}/reviews/0` }, 100, judge);
  await load.more(100);
  const report = await load.stop();
  assert.deepEqual(report.failures, []);
  const stats = async (workload: Workload, name: string): Promise<number> => {
    const url = `http://127.0.0.1:${await workload.adminPort()}/stats?filter=${encodeURIComponent(name)}`;
    const text = await (await fetch(url)).text();
    return [...text.matchAll(/: (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  assert.equal(await stats(reviews, '^server.concurrency$'), 3);
  for (const workload of [ratings, reviews]) {
    await eventually('all requests are counted, on both sides of the mTLS link', async () => {
      return (await stats(workload, '^http\\..*downstream_rq_total$')) >= report.sent;
    });
  }
  const ask = async (path: string): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${await reviews.adminPort()}${path}`)).text();
  const { configs } = JSON.parse(await ask('/config_dump?include_eds')) as {
    configs: { readonly dynamic_active_clusters?: readonly { readonly version_info: string }[] }[];
  };
  const clusters = configs.flatMap(({ dynamic_active_clusters: some = [] }) => some);
  assert.ok(clusters.length > 0 && clusters.every(({ version_info: version }) => version !== ''));
  assert.match(await ask('/certs'), /"uri": "spiffe:\/\/cluster\.local\/ns\/default\/sa\/reviews"/);
  assert.equal(await ask('/ready'), 'LIVE\n');
  for (const { run } of [ratings, reviews]) {
    run.kill('SIGTERM');
    assert.deepEqual(await run.ended(), { code: 0, signal: null }, run.output);
  }
});
