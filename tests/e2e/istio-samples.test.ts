// Istio's own samples, unmodified, steer the traffic of a real mesh.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { skipWithout } from '@heddle/testkit';
import { type ClientWorkload, Mesh } from './support/mesh.ts';
import { type Answer, sendMany } from './support/requests.ts';
import { bookstore, istioSamples } from './support/sandbox.ts';

const samples = istioSamples();
const requests = 5_000;
/** Of the share that the weights ask for: 5,000 requests at 80 % have a standard deviation of 0.57 points. */
const tolerancePoints = 2.5;

/** The version of reviews that answered; anything but an answer is a failure of the test. */
function versionOf({ status, body }: Answer): string {
  assert.equal(status, 200, body);
  const { version, problem } = JSON.parse(body) as { version: string; problem?: string };
  assert.equal(problem, undefined, 'reviews reaches ratings');
  return version;
}

/** The two ways in which an application reaches others. */
function waysTo(
  client: ClientWorkload,
): ReadonlyMap<string, { readonly url: string; readonly proxy?: string }> {
  return new Map([
    ['--upstream', { url: `${client.url('reviews')}/reviews/0` }],
    ['HTTP_PROXY', { url: 'http://reviews:9080/reviews/0', proxy: client.proxy }],
  ]);
}

function assertShares(
  t: TestContext,
  counts: ReadonlyMap<string, number>,
  expected: Readonly<Record<string, number>>,
): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const shares = [...counts].map(([version, count]) => [version, (100 * count) / total] as const);
  t.diagnostic(
    `of ${total}: ${shares
      .map(([version, share]) => `${version} ${share.toFixed(2)} %`)
      .toSorted()
      .join(', ')}`,
  );
  assert.deepEqual([...counts.keys()].toSorted(), Object.keys(expected).toSorted());
  for (const [version, share] of shares) {
    assert.ok(
      Math.abs(share - expected[version]!) <= tolerancePoints,
      `${version} has ${share.toFixed(2)} %`,
    );
  }
}

test(
  "Istio's samples, unmodified, split traffic by weight and route it by header",
  { skip: skipWithout({ ["Istio's samples (HEDDLE_CONFORMANCE names the data's directory)"]: samples }) },
  async (t) => {
    await using mesh = await Mesh.start();
    const node = (file: string, ...words: string[]): string[] => [
      process.execPath,
      bookstore(file),
      ...words,
    ];
    const upstream = ['--upstream', 'ratings:9080'];
    const [client] = await Promise.all([
      mesh.client(['reviews:9080']),
      mesh.publish('ratings', node('ratings.js'), { version: 'v1' }),
      mesh.publish('reviews', node('reviews.js', 'v1'), { version: 'v1' }),
      mesh.publish('reviews', node('reviews.js', 'v2'), { version: 'v2', flags: upstream }),
      mesh.publish('reviews', node('reviews.js', 'v3'), { version: 'v3', flags: upstream }),
      mesh.publish('productpage', node('productpage.js'), { version: 'v1' }),
      mesh.publish('details', node('details.js'), { version: 'v1' }),
    ]);
    const apply = async (name: string): Promise<string> => {
      const { exit, stdout, stderr } = await mesh.heddle(['apply', '-f', join(samples!, `${name}.yaml`)]);
      assert.equal(exit?.code, 0, stderr);
      assert.equal(stderr, '', 'no warning: every host and subset that it uses is there');
      await mesh.synced(7);
      return stdout;
    };

    const unruled = await sendMany(300, waysTo(client).get('HTTP_PROXY')!, versionOf);
    assert.deepEqual([...unruled.keys()].toSorted(), ['v1', 'v2', 'v3'], 'without rules all versions answer');

    assert.match(
      await apply('destination-rule-all'),
      /^destinationrule\.networking\.istio\.io\/reviews created$/m,
    );
    assert.match(
      await apply('virtual-service-all-v1'),
      /^virtualservice\.networking\.istio\.io\/reviews created$/m,
    );
    for (const way of waysTo(client).values()) {
      assertShares(t, await sendMany(requests / 10, way, versionOf), { v1: 100 });
    }

    assert.match(await apply('virtual-service-reviews-80-20'), /\/reviews configured$/m);
    for (const [name, way] of waysTo(client)) {
      await t.test(`80 to 20, by ${name}`, async (t) => {
        assertShares(t, await sendMany(requests, way, versionOf), { v1: 80, v2: 20 });
      });
    }

    assert.match(await apply('virtual-service-reviews-test-v2'), /\/reviews configured$/m);
    for (const [name, way] of waysTo(client)) {
      await t.test(`by header, by ${name}`, async (t) => {
        const jason = { ...way, headers: { 'end-user': 'jason' } };
        const others = { ...way, headers: { 'end-user': 'jasons' } };
        assertShares(t, await sendMany(requests / 10, jason, versionOf), { v2: 100 });
        assertShares(t, await sendMany(requests / 10, others, versionOf), { v1: 100 });
        assertShares(t, await sendMany(requests / 10, way, versionOf), { v1: 100 });
      });
    }
  },
);
