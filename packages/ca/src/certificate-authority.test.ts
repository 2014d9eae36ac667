import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type HeddleError, type Result, systemClock } from '@heddle/base';
import {
  acceptIssuedCertificate,
  controlPlaneSpiffeId,
  createCertificateRequest,
  generateKeyPair,
  parseCertificates,
  parseSpiffeId,
  trustBundles,
  verifyChain,
} from '@heddle/identity';
import { TemporaryDirectory, clusterLocal, openAuthority, openssl, reviews, unwrap } from './ca-fixture.ts';
import type { CertificateAuthority, IssuedCertificate } from './certificate-authority.ts';
import { MemoryIssuanceLog } from './issuance-log.ts';
import { x509 } from './x509-library.ts';

const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;

/** A request as OpenSSL makes it. */
function opensslRequest(keyOptions: readonly string[], ...options: readonly string[]): string {
  return openssl(
    '',
    'req',
    '-new',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    '/CN=x',
    ...keyOptions,
    ...options,
  );
}

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;

describe('CertificateAuthority', () => {
  let temporary: TemporaryDirectory;
  let log: MemoryIssuanceLog;
  let authority: CertificateAuthority;

  beforeEach(async () => {
    temporary = new TemporaryDirectory();
    log = new MemoryIssuanceLog();
    authority = await openAuthority(temporary.path, { log });
  });

  afterEach(() => temporary.dispose());

  function write(name: string, content: string): string {
    const path = join(temporary.path, name);
    writeFileSync(path, content);
    return path;
  }

  function refusalOf(result: Result<IssuedCertificate, HeddleError>): { code: string; message: string } {
    assert.ok(!result.ok);
    return result.error;
  }

  describe('issuing to workloads', () => {
    test('makes a leaf that OpenSSL verifies for both sides of a handshake', async () => {
      const key = generateKeyPair();
      const issued = unwrap(await authority.issueWorkload(reviews, createCertificateRequest(key, reviews)));
      const leaf = write('leaf.pem', issued.certificateChain);
      const root = join(temporary.path, 'root.pem');
      for (const purpose of ['sslclient', 'sslserver']) {
        assert.match(openssl('', 'verify', '-x509_strict', '-purpose', purpose, '-CAfile', root, leaf), /OK/);
      }
      const text = openssl('', 'x509', '-in', leaf, '-noout', '-text');
      assert.match(text, /Subject: \n/);
      assert.match(text, /Basic Constraints: critical\s+CA:FALSE/);
      assert.match(text, /Key Usage: critical\s+Digital Signature\n/);
      assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/);
      assert.match(
        text,
        /Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/reviews\n/,
      );
      assert.match(text, /Subject Key Identifier/);
      const rootText = openssl('', 'x509', '-in', root, '-noout', '-text');
      const identifier = /Subject Key Identifier: \s+([0-9A-F:]+)/.exec(rootText)?.[1];
      assert.ok(identifier !== undefined && text.includes(identifier));
    });

    test('makes a leaf that the workload and its peers accept', async () => {
      const key = generateKeyPair();
      const issued = unwrap(await authority.issueWorkload(reviews, createCertificateRequest(key, reviews)));
      const nowMs = systemClock.now();
      const accepted = acceptIssuedCertificate(
        key,
        reviews,
        issued.certificateChain,
        authority.bundle,
        nowMs,
      );
      assert.ok(accepted.ok);
      assert.equal(accepted.value.serial, issued.serial);
      assert.equal(accepted.value.notBeforeMs, issued.notBeforeMs);
      assert.equal(accepted.value.notAfterMs, issued.notAfterMs);
    });

    test('is good for a day from now and from five minutes ago', async () => {
      const request = createCertificateRequest(generateKeyPair(), reviews);
      const nowMs = systemClock.now();
      const issued = unwrap(await authority.issueWorkload(reviews, request));
      assert.ok(Math.abs(issued.notAfterMs - nowMs - 24 * hourMs) < 5000);
      assert.ok(Math.abs(nowMs - issued.notBeforeMs - 5 * 60_000) < 5000);
    });

    test('backdates short lives by little, so that half of them is still to come', async () => {
      const short = await openAuthority(temporary.path, { leafTtlMs: 10_000 });
      const issued = unwrap(
        await short.issueWorkload(reviews, createCertificateRequest(generateKeyPair(), reviews)),
      );
      assert.ok((issued.notBeforeMs + issued.notAfterMs) / 2 > systemClock.now() + 2000);
    });

    test('never outlives the root, and stops with it', async () => {
      const request = createCertificateRequest(generateKeyPair(), reviews);
      const rootEndMs = authority.bundle.roots[0]!.notAfterMs;
      const near = await openAuthority(temporary.path, {
        clock: { ...systemClock, now: () => rootEndMs - hourMs },
      });
      assert.equal(unwrap(await near.issueWorkload(reviews, request)).notAfterMs, rootEndMs);
      const atEnd = await openAuthority(temporary.path, {
        clock: { ...systemClock, now: () => rootEndMs - 500 },
      });
      assert.equal(refusalOf(await atEnd.issueWorkload(reviews, request)).code, 'HEDDLE_CA_ROOT_EXPIRED');
    });

    test('issues dates beyond 2050, where the encoding changes', async () => {
      const clock = { ...systemClock, now: () => Date.UTC(2049, 11, 31, 12) };
      const other = new TemporaryDirectory();
      const late = await openAuthority(other.path, { clock });
      const issued = unwrap(
        await late.issueWorkload(reviews, createCertificateRequest(generateKeyPair(), reviews)),
      );
      other.dispose();
      assert.equal(issued.notAfterMs, Date.UTC(2050, 0, 1, 12));
      assert.equal(unwrap(parseCertificates(issued.certificateChain))[0]!.notAfterMs, issued.notAfterMs);
    });

    test('gives each certificate a serial number of 16 positive bytes of its own', async () => {
      const request = createCertificateRequest(generateKeyPair(), reviews);
      const serials = new Set<string>();
      for (let i = 0; i < 8; i++) serials.add(unwrap(await authority.issueWorkload(reviews, request)).serial);
      assert.equal(serials.size, 8);
      for (const serial of serials) assert.match(serial, /^[4-7][0-9a-f]{31}$/);
    });

    test('takes nothing over from a request but its key', async () => {
      const request = opensslRequest(
        p256,
        '-addext',
        'basicConstraints=critical,CA:TRUE',
        '-addext',
        'keyUsage=keyCertSign',
      );
      const issued = unwrap(await authority.issueWorkload(reviews, request));
      const [leaf] = unwrap(parseCertificates(issued.certificateChain));
      assert.equal(leaf!.extensions.isAuthority, false);
      assert.equal(leaf!.extensions.keyUsage?.keyCertSign, false);
      assert.equal(leaf!.x509.subject ?? '', '');
    });

    test('takes requests for keys on P-384 and RSA keys of 2048 bits', async () => {
      const requests = [
        opensslRequest(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], '-sha384'),
        opensslRequest(['-newkey', 'rsa:2048']),
      ];
      for (const request of requests) {
        const issued = unwrap(await authority.issueWorkload(reviews, request));
        const chain = unwrap(parseCertificates(issued.certificateChain));
        assert.ok(verifyChain(chain, trustBundles(authority.bundle), 'client', systemClock.now()).ok);
      }
    });

    test('takes the names that it would give anyway', async () => {
      assert.ok(
        (
          await authority.issueWorkload(
            reviews,
            opensslRequest(p256, '-addext', `subjectAltName=URI:${reviews}`),
          )
        ).ok,
      );
    });

    const admin = 'spiffe://cluster.local/ns/default/sa/admin';
    const refused: readonly (readonly [string, () => string, RegExp])[] = [
      [
        'asks for another identity',
        () => opensslRequest(p256, '-addext', `subjectAltName=URI:${admin}`),
        /other names/,
      ],
      [
        'asks for a second identity',
        () => opensslRequest(p256, '-addext', `subjectAltName=URI:${reviews},URI:${admin}`),
        /other names/,
      ],
      [
        'asks for a DNS name',
        () => opensslRequest(p256, '-addext', 'subjectAltName=DNS:localhost'),
        /other names/,
      ],
      [
        'has a key on P-521',
        () => opensslRequest(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521']),
        /another curve/,
      ],
      [
        'has a key on secp256k1',
        () => opensslRequest(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']),
        /another curve|cannot be read/,
      ],
      ['has an Ed25519 key', () => opensslRequest(['-newkey', 'ed25519']), /neither ECDSA nor RSA/],
      ['has an RSA key of 1024 bits', () => opensslRequest(['-newkey', 'rsa:1024']), /1024 bits/],
      ['is signed with SHA-1', () => opensslRequest(p256, '-sha1'), /weak hash|cannot be read/],
      ['is not PEM', () => 'hello', /no PEM block/],
      [
        'is something else',
        () => `-----BEGIN CERTIFICATE REQUEST-----\naGVsbG8=\n-----END CERTIFICATE REQUEST-----\n`,
        /cannot be read/,
      ],
      ['is two', () => opensslRequest(p256) + opensslRequest(p256), /single/],
      ['is too long', () => 'x'.repeat(17 * 1024), /too long/],
    ];
    for (const [name, request, message] of refused) {
      test(`refuses a request that ${name}`, async () => {
        const error = refusalOf(await authority.issueWorkload(reviews, request()));
        assert.equal(error.code, 'HEDDLE_CERTIFICATE_REQUEST_INVALID');
        assert.match(error.message, message);
        assert.equal((await log.list(systemClock.now())).length, 1);
      });
    }

    test('refuses a request for a key that the sender does not own', async () => {
      const mine = generateKeyPair();
      const theirs = generateKeyPair();
      const forged = createCertificateRequest(
        { publicKey: theirs.publicKey, privateKey: mine.privateKey },
        reviews,
      );
      assert.match(
        refusalOf(await authority.issueWorkload(reviews, forged)).message,
        /not signed with its own key/,
      );
    });

    test('refuses identities of the control plane and of other trust domains', async () => {
      const ids = [
        controlPlaneSpiffeId(clusterLocal),
        unwrap(parseSpiffeId('spiffe://cluster.local/ns/heddle-system/sa/other')),
        unwrap(parseSpiffeId('spiffe://other.example/ns/default/sa/reviews')),
      ];
      for (const id of ids) {
        const error = refusalOf(
          await authority.issueWorkload(id, createCertificateRequest(generateKeyPair(), id)),
        );
        assert.equal(error.code, 'HEDDLE_IDENTITY_NOT_ALLOWED');
      }
    });
  });

  test('reads our certificate requests as its library does', async () => {
    const request = new x509.Pkcs10CertificateRequest(createCertificateRequest(generateKeyPair(), reviews));
    assert.ok(await request.verify());
    const names = request.getExtension('2.5.29.17') as x509.SubjectAlternativeNameExtension;
    assert.deepEqual(names.names.toJSON(), [{ type: 'url', value: reviews }]);
    assert.equal(request.subject, '');
  });

  test("issues the control plane's certificate with the names by which it is reached", async () => {
    const key = generateKeyPair();
    const names = { dnsNames: ['mesh.example'], addresses: ['192.0.2.1', '::1', 'not an address'] };
    const issued = unwrap(await authority.issueControlPlane(key.publicKey, names));
    const text = openssl(issued.certificateChain, 'x509', '-noout', '-text');
    assert.match(
      text,
      /URI:spiffe:\/\/cluster\.local\/ns\/heddle-system\/sa\/control-plane, DNS:mesh\.example, IP Address:192\.0\.2\.1, IP Address:0:0:0:0:0:0:0:1\n/,
    );
  });

  test('logs what it issues before it hands it out', async () => {
    const request = createCertificateRequest(generateKeyPair(), reviews);
    const issued = unwrap(await authority.issueWorkload(reviews, request));
    const records = await log.list(systemClock.now());
    assert.deepEqual(
      records.map(({ identity, kind }) => [identity, kind]),
      [
        ['spiffe://cluster.local', 'root'],
        [reviews, 'workload'],
      ],
    );
    assert.equal(records[1]?.serial, issued.serial);
    assert.equal(records[1]?.notAfterMs, issued.notAfterMs);
    log.append = () => Promise.reject(new Error('disk full'));
    await assert.rejects(authority.issueWorkload(reviews, request), /disk full/);
  });

  test('forgets logged certificates that have expired, and the oldest beyond a limit', async () => {
    const small = new MemoryIssuanceLog(10);
    for (let i = 1; i <= 12; i++) {
      const record = {
        identity: `${i}`,
        kind: 'workload',
        serial: `${i}`,
        notBeforeMs: 0,
        notAfterMs: i * 1000,
      } as const;
      await small.append(record);
    }
    assert.deepEqual(
      (await small.list(11_000)).map((record) => record.identity),
      ['11', '12'],
    );
    assert.ok((await small.list(0)).length <= 10);
    assert.ok((await log.list(systemClock.now() + 20 * yearMs)).length === 0);
  });
});
