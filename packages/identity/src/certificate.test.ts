import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { parseCertificate, parseCertificates, spiffeIdOf } from './certificate.ts';
import { DerTag, der } from './der-writer.ts';
import { encodeExtension, makeCertificate, makeLeaf, makeRoot } from './test-authority.ts';

const reviews = 'spiffe://cluster.local/ns/default/sa/reviews';
const root = makeRoot('cluster.local');

describe('parseCertificates', () => {
  test('reads a chain in its order', () => {
    const leaf = makeLeaf(root, reviews);
    const chain = parseCertificates(leaf.pem + root.pem);
    assert.ok(chain.ok);
    assert.deepEqual(
      chain.value.map((certificate) => certificate.extensions.isAuthority),
      [false, true],
    );
  });

  test('gives the dates in milliseconds and the extensions that OpenSSL sees', () => {
    const notBeforeMs = Date.UTC(2026, 0, 2, 3, 4, 5);
    const notAfterMs = Date.UTC(2051, 5, 6, 7, 8, 9);
    const made = makeRoot('cluster.local', { notBeforeMs, notAfterMs, pathLength: 1 });
    const { certificate } = made;
    assert.equal(certificate.notBeforeMs, notBeforeMs);
    assert.equal(certificate.notAfterMs, notAfterMs);
    assert.equal(certificate.extensions.pathLength, 1);
    assert.deepEqual(certificate.extensions.keyUsage, {
      digitalSignature: false,
      keyCertSign: true,
      crlSign: true,
    });
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: made.pem, encoding: 'utf8' });
    assert.match(text, /CA:TRUE, pathlen:1/);
    assert.match(text, /Certificate Sign, CRL Sign/);
    assert.match(text, /Not After : Jun {2}6 07:08:09 2051 GMT/);
  });

  test('refuses bytes behind the certificate and certificates cut off', () => {
    const { raw } = root.certificate.x509;
    assert.ok(parseCertificate(raw).ok);
    assert.ok(!parseCertificate(Buffer.concat([raw, Buffer.from([0])])).ok);
    assert.ok(!parseCertificate(raw.subarray(0, -1)).ok);
  });

  test('refuses an extension that appears twice', () => {
    const usage = encodeExtension('2.5.29.15', true, Buffer.from('03020780', 'hex'));
    assert.throws(() => makeCertificate({ extensions: [usage, usage] }), /malformed/);
  });

  test('refuses an extension with something behind its value', () => {
    const value = Buffer.concat([der(DerTag.sequence), Buffer.from([5, 0])]);
    assert.throws(
      () => makeCertificate({ extensions: [encodeExtension('2.5.29.17', false, value)] }),
      /malformed/,
    );
  });

  test('refuses more certificates than any chain needs', () => {
    assert.ok(!parseCertificates(root.pem.repeat(9)).ok);
  });

  test('names critical extensions that it does not understand', () => {
    const extensions = [encodeExtension('1.2.3.4', true, der(DerTag.sequence))];
    assert.deepEqual(makeCertificate({ extensions }).certificate.extensions.unknownCritical, ['1.2.3.4']);
    const harmless = [encodeExtension('1.2.3.4', false, der(DerTag.sequence))];
    assert.deepEqual(makeCertificate({ extensions: harmless }).certificate.extensions.unknownCritical, []);
  });
});

describe('spiffeIdOf', () => {
  test('gives the one URI SAN, whatever other names stand beside it', () => {
    const leaf = makeLeaf(root, reviews, { dnsNames: ['localhost'] });
    assert.deepEqual(spiffeIdOf(leaf.certificate), { ok: true, value: reviews });
  });

  test('refuses certificates without a URI SAN and with several', () => {
    const none = spiffeIdOf(makeLeaf(root, reviews, { uris: [], dnsNames: ['localhost'] }).certificate);
    assert.ok(!none.ok && /no URI SAN/.test(none.error[0]!.message));
    const two = spiffeIdOf(makeLeaf(root, reviews, { uris: [reviews, 'spiffe://x/ns/a/sa/b'] }).certificate);
    assert.ok(!two.ok && /2 URI SANs/.test(two.error[0]!.message));
    const twice = spiffeIdOf(makeLeaf(root, reviews, { uris: [reviews, reviews] }).certificate);
    assert.ok(!twice.ok && /2 URI SANs/.test(twice.error[0]!.message));
  });

  test('is not fooled by a DNS name that looks like several names', () => {
    const admin = 'spiffe://cluster.local/ns/default/sa/admin';
    const forged = makeLeaf(root, reviews, { dnsNames: [`x, URI:${admin}`] });
    assert.deepEqual(spiffeIdOf(forged.certificate), { ok: true, value: reviews });
    const alone = makeLeaf(root, reviews, { uris: [], dnsNames: [`x, URI:${admin}`] });
    assert.ok(!spiffeIdOf(alone.certificate).ok);
  });

  test('refuses a URI with a comma, a NUL or bytes beyond ASCII in it', () => {
    for (const uri of [`${reviews}, URI:spiffe://x`, `${reviews}\0.evil`, `${reviews}\u00e9`]) {
      assert.ok(!spiffeIdOf(makeLeaf(root, uri).certificate).ok, uri);
    }
  });
});
