import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { createCertificateRequest } from './certificate-request.ts';
import { exportPrivateKey, generateKeyPair, importPrivateKey } from './key-pair.ts';
import { decodePem, encodePem } from './pem.ts';
import { parseSpiffeId } from './spiffe-id.ts';

const parsed = parseSpiffeId('spiffe://cluster.local/ns/default/sa/reviews');
assert.ok(parsed.ok);
const id = parsed.value;

function openssl(input: string, ...args: readonly string[]): string {
  return execFileSync('openssl', [...args], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
}

/** OpenSSL 3.0 says on standard error whether the signature is good, and exits with 0 either way. */
function isVerified(request: string): boolean {
  const { stderr } = spawnSync('openssl', ['req', '-verify', '-noout'], { input: request, encoding: 'utf8' });
  assert.match(stderr, /self-signature verify (OK|failure)/);
  return /verify OK/.test(stderr);
}

describe('createCertificateRequest', () => {
  test('makes a request that OpenSSL verifies, for this key, with the identity as its only name', () => {
    const key = generateKeyPair();
    const request = createCertificateRequest(key, id);
    assert.ok(isVerified(request));
    const text = openssl(request, 'req', '-text', '-noout');
    assert.match(
      text,
      /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/reviews\n/,
    );
    assert.match(text, /Subject: \n/);
    assert.match(text, /Version: 1 \(0x0\)/);
    const publicKey = createPublicKey(openssl(request, 'req', '-pubkey', '-noout'));
    assert.ok(publicKey.equals(key.publicKey));
  });

  test('is signed: OpenSSL refuses it with one byte changed', () => {
    const blocks = decodePem('CERTIFICATE REQUEST', createCertificateRequest(generateKeyPair(), id));
    assert.ok(blocks.ok);
    const bytes = blocks.value[0]!;
    const at = bytes.indexOf('reviews');
    bytes[at] = 'R'.charCodeAt(0);
    assert.ok(!isVerified(encodePem('CERTIFICATE REQUEST', bytes)));
  });
});

describe('keys', () => {
  test('are ECDSA P-256 and survive a round trip through PKCS#8', () => {
    const key = generateKeyPair();
    assert.equal(key.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    const read = importPrivateKey(exportPrivateKey(key));
    assert.ok(read.ok);
    assert.ok(read.value.publicKey.equals(key.publicKey));
    assert.match(openssl(exportPrivateKey(key), 'pkey', '-noout', '-text'), /NIST CURVE: P-256/);
  });

  test('are refused without repeating them', () => {
    const damaged = exportPrivateKey(generateKeyPair()).replace('MIG', 'XXX');
    const read = importPrivateKey(damaged);
    assert.deepEqual(read, { ok: false, error: 'the private key cannot be read' });
  });
});
