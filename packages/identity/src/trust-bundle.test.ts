import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type TestCertificate, bundleOf, makeLeaf, makeRoot, trustDomain } from './test-authority.ts';
import { parseTrustBundle, trustBundles } from './trust-bundle.ts';
import { verifyChain } from './verify-chain.ts';

const cluster = trustDomain('cluster.local');
const reviews = 'spiffe://cluster.local/ns/default/sa/reviews';

describe('trust bundles', () => {
  test('hold several roots during a rotation, and accept leaves of each', () => {
    const roots = [makeRoot('cluster.local'), makeRoot('cluster.local')] as const;
    const bundle = parseTrustBundle(cluster, roots[0].pem + roots[1].pem);
    assert.ok(bundle.ok);
    for (const root of roots) {
      const leaf = makeLeaf(root, reviews).certificate;
      assert.ok(verifyChain([leaf], trustBundles(bundle.value), 'client', Date.now()).ok);
    }
  });

  test('have a version that follows the content', () => {
    const roots = [makeRoot('cluster.local'), makeRoot('cluster.local')] as const;
    const version = (...list: readonly TestCertificate[]): string =>
      bundleOf('cluster.local', ...list).version;
    assert.equal(version(roots[0]), version(roots[0]));
    assert.notEqual(version(roots[0]), version(roots[1]));
    assert.notEqual(version(roots[0]), version(...roots));
  });

  test('take roots that do not say their trust domain', () => {
    assert.ok(parseTrustBundle(cluster, makeRoot('cluster.local', { uris: [] }).pem).ok);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /no PEM block/],
    ['a root of another trust domain', makeRoot('other.example').pem, /belongs to/],
    ['a leaf', makeLeaf(makeRoot('cluster.local'), reviews).pem, /no authority/],
    ['an authority that may not sign', makeRoot('cluster.local', { keyUsage: 0x80 }).pem, /may not sign/],
  ];
  for (const [name, pem, message] of refused) {
    test(`refuse ${name}`, () => {
      const bundle = parseTrustBundle(cluster, pem);
      assert.ok(!bundle.ok);
      assert.match(bundle.error[0]!.message, message);
    });
  }
});
