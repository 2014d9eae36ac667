import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DerTag, der } from './der-writer.ts';
import {
  type TestCertificate,
  type TestCertificateOptions,
  Usage,
  bundleOf,
  encodeExtension,
  makeCertificate,
  makeLeaf,
  makeRoot,
} from './test-authority.ts';
import { trustBundles } from './trust-bundle.ts';
import { type PeerRole, verifyChain } from './verify-chain.ts';

const reviews = 'spiffe://cluster.local/ns/default/sa/reviews';
const root = makeRoot('cluster.local');
const other = makeRoot('other.example');
const bundles = trustBundles(bundleOf('cluster.local', root), bundleOf('other.example', other));
const hourMs = 3_600_000;

function faultOf(chain: readonly TestCertificate[], role: PeerRole = 'client', nowMs = Date.now()): string {
  const certificates = chain.map((link) => link.certificate);
  const peer = verifyChain(certificates, bundles, role, nowMs);
  return peer.ok ? 'none' : peer.error.fault;
}

function leafFault(options: TestCertificateOptions, role: PeerRole = 'client'): string {
  return faultOf([makeLeaf(root, reviews, options)], role);
}

describe('verifyChain', () => {
  test('gives identity and expiry of a good leaf, in both roles', () => {
    const notAfterMs = Math.floor(Date.now() / 1000) * 1000 + 60_000;
    const leaf = makeLeaf(root, reviews, { notAfterMs });
    for (const role of ['client', 'server'] as const) {
      const peer = verifyChain([leaf.certificate], bundles, role, Date.now());
      assert.ok(peer.ok);
      assert.equal(peer.value.id, reviews);
      assert.equal(peer.value.notAfterMs, notAfterMs);
    }
  });

  test('agrees with OpenSSL about what it accepts', () => {
    const directory = mkdtempSync(join(tmpdir(), 'heddle-'));
    try {
      writeFileSync(join(directory, 'root.pem'), root.pem);
      writeFileSync(join(directory, 'leaf.pem'), makeLeaf(root, reviews).pem);
      const verdict = execFileSync(
        'openssl',
        [
          'verify',
          '-CAfile',
          join(directory, 'root.pem'),
          '-purpose',
          'sslclient',
          join(directory, 'leaf.pem'),
        ],
        { encoding: 'utf8' },
      );
      assert.match(verdict, /OK/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('refuses an empty chain', () => {
    assert.equal(faultOf([]), 'no-certificate');
  });

  test('refuses a leaf of the right trust domain signed by the root of another that is trusted too', () => {
    assert.equal(faultOf([makeLeaf(other, reviews)]), 'untrusted-chain');
    assert.equal(faultOf([makeLeaf(other, 'spiffe://other.example/ns/a/sa/b')]), 'none');
  });

  test('refuses trust domains without a bundle', () => {
    assert.equal(faultOf([makeLeaf(root, 'spiffe://third.example/ns/a/sa/b')]), 'unknown-trust-domain');
  });

  test('refuses a foreign root with the name of ours', () => {
    const forged = makeCertificate({
      uris: ['spiffe://cluster.local'],
      isAuthority: true,
      keyUsage: Usage.keyCertSign,
    });
    const twin = { ...forged, name: root.name };
    assert.equal(faultOf([makeLeaf(twin, reviews), twin]), 'untrusted-chain');
  });

  test('refuses a leaf that the root has signed but that names another issuer', () => {
    const named = makeLeaf({ ...root, name: other.name }, reviews);
    assert.equal(faultOf([named]), 'untrusted-chain');
  });

  test('accepts a certificate at both ends of its validity and refuses it a millisecond beyond', () => {
    const notBeforeMs = Math.floor(Date.now() / 1000) * 1000;
    const notAfterMs = notBeforeMs + 1000;
    const chain = [makeLeaf(root, reviews, { notBeforeMs, notAfterMs })];
    assert.equal(faultOf(chain, 'client', notBeforeMs), 'none');
    assert.equal(faultOf(chain, 'client', notAfterMs), 'none');
    assert.equal(faultOf(chain, 'client', notBeforeMs - 1), 'not-yet-valid');
    assert.equal(faultOf(chain, 'client', notAfterMs + 1), 'expired');
  });

  test('refuses leaves under a root that has expired', () => {
    const past = makeRoot('cluster.local', { notAfterMs: Date.now() - hourMs / 2 });
    const leaf = makeLeaf(past, reviews);
    const peer = verifyChain(
      [leaf.certificate],
      trustBundles(bundleOf('cluster.local', past)),
      'client',
      Date.now(),
    );
    assert.ok(!peer.ok);
    assert.equal(peer.error.fault, 'untrusted-chain');
  });

  test('expires a peer with the first link of its chain', () => {
    const notAfterMs = Math.floor(Date.now() / 1000) * 1000 + 1000;
    const soon = makeRoot('cluster.local', { notAfterMs });
    const leaf = makeLeaf(soon, reviews);
    const peer = verifyChain(
      [leaf.certificate],
      trustBundles(bundleOf('cluster.local', soon)),
      'client',
      Date.now(),
    );
    assert.ok(peer.ok);
    assert.equal(peer.value.notAfterMs, notAfterMs);
  });

  test('refuses leaves with no identity, with two, and with one that is malformed', () => {
    assert.equal(leafFault({ uris: [] }), 'no-identity');
    assert.equal(leafFault({ uris: [reviews, reviews] }), 'no-identity');
    assert.equal(leafFault({ uris: ['spiffe://cluster.local'] }), 'no-identity');
    assert.equal(leafFault({ uris: ['https://cluster.local/ns/a/sa/b'] }), 'no-identity');
  });

  test('refuses leaves that are not made for handshakes', () => {
    assert.equal(leafFault({ isAuthority: true }), 'wrong-usage');
    assert.equal(leafFault({ keyUsage: null }), 'wrong-usage');
    assert.equal(leafFault({ keyUsage: 0x08 }), 'wrong-usage');
    assert.equal(leafFault({ keyUsage: Usage.digitalSignature | Usage.keyCertSign }), 'wrong-usage');
    assert.equal(leafFault({ keyUsage: Usage.digitalSignature | Usage.crlSign }), 'wrong-usage');
  });

  test('holds leaves to the side of the handshake that they are for', () => {
    const clientOnly = { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] };
    assert.equal(leafFault(clientOnly, 'client'), 'none');
    assert.equal(leafFault(clientOnly, 'server'), 'wrong-usage');
    assert.equal(leafFault({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] }), 'wrong-usage');
    assert.equal(leafFault({ extendedKeyUsage: null }), 'none');
  });

  test('refuses critical extensions that it does not understand', () => {
    const extensions = [encodeExtension('1.2.3.4', true, der(DerTag.sequence))];
    assert.equal(leafFault({ extensions }), 'wrong-usage');
  });

  describe('with an authority between', () => {
    const authority: TestCertificateOptions = {
      isAuthority: true,
      keyUsage: Usage.keyCertSign,
      name: 'intermediate',
    };

    test('follows the chain that the peer shows, and not without it', () => {
      const between = makeCertificate(authority, root);
      const leaf = makeLeaf(between, reviews);
      assert.equal(faultOf([leaf, between]), 'none');
      assert.equal(faultOf([leaf, between, root]), 'none');
      assert.equal(faultOf([leaf]), 'untrusted-chain');
    });

    test('refuses it where it is a workload, may not sign, has expired or belongs to another trust domain', () => {
      const spoiled: readonly TestCertificateOptions[] = [
        { ...authority, isAuthority: false },
        { ...authority, keyUsage: Usage.digitalSignature },
        { ...authority, notAfterMs: Date.now() - 1000 },
        { ...authority, uris: ['spiffe://other.example'] },
        { ...authority, uris: ['spiffe://cluster.local/ns/a/sa/b'] },
        { ...authority, extensions: [encodeExtension('2.5.29.30', true, der(DerTag.sequence))] },
      ];
      for (const [index, options] of spoiled.entries()) {
        const between = makeCertificate(options, root);
        assert.equal(faultOf([makeLeaf(between, reviews), between]), 'untrusted-chain', `case ${index}`);
      }
    });

    test('refuses a workload that signs for others', () => {
      const workload = makeLeaf(root, reviews, { name: 'workload' });
      const leaf = makeLeaf(workload, 'spiffe://cluster.local/ns/default/sa/admin');
      assert.equal(faultOf([leaf, workload]), 'untrusted-chain');
    });

    test('holds authorities to their path length', () => {
      const strict = makeRoot('cluster.local', { pathLength: 0 });
      const between = makeCertificate(authority, strict);
      const leaf = makeLeaf(between, reviews);
      const chain = [leaf.certificate, between.certificate];
      const peer = verifyChain(chain, trustBundles(bundleOf('cluster.local', strict)), 'client', Date.now());
      assert.ok(!peer.ok);
      assert.equal(peer.error.fault, 'untrusted-chain');
    });

    test('gives up on chains that are too long', () => {
      const a = makeCertificate({ ...authority, name: 'a' }, root);
      const b = makeCertificate({ ...authority, name: 'b' }, a);
      const c = makeCertificate({ ...authority, name: 'c' }, b);
      assert.equal(faultOf([makeLeaf(b, reviews), b, a]), 'none');
      assert.equal(faultOf([makeLeaf(c, reviews), c, b, a]), 'untrusted-chain');
    });
  });
});
