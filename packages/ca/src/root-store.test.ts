import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '@heddle/base';
import { exportPrivateKey, generateKeyPair, parseTrustDomain } from '@heddle/identity';
import { TemporaryDirectory, clusterLocal, openssl, unwrap } from './ca-fixture.ts';
import type { Root } from './root.ts';
import { type RootStoreOptions, openRoot } from './root-store.ts';

const yearMs = 365 * 24 * 3_600_000;

describe('openRoot', () => {
  let temporary: TemporaryDirectory;
  let directory = '';
  let options: RootStoreOptions;

  beforeEach(() => {
    temporary = new TemporaryDirectory();
    directory = join(temporary.path, 'ca');
    options = { directory, trustDomain: clusterLocal, clock: systemClock };
  });

  afterEach(() => temporary.dispose());

  async function openError(
    changed: Partial<RootStoreOptions> = {},
  ): Promise<{ code: string; message: string }> {
    const root = await openRoot({ ...options, ...changed });
    assert.ok(!root.ok);
    assert.ok(!inspect(root.error).includes('PRIVATE KEY'));
    return root.error;
  }

  test('makes a root the first time and gives the same one from then on', async () => {
    const first = unwrap(await openRoot(options));
    const second = unwrap(await openRoot(options));
    assert.ok(first.certificate.x509.raw.equals(second.certificate.x509.raw));
    assert.equal(first.bundle.version, second.bundle.version);
  });

  test('keeps both files for the owner only and leaves no others behind', async () => {
    await openRoot(options);
    assert.deepEqual(readdirSync(directory).toSorted(), ['root.key', 'root.pem']);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory, 'root.key')).mode & 0o777, 0o600);
  });

  test('makes a root that OpenSSL takes for an authority of ten years over leaves only', async () => {
    const { certificate } = unwrap(await openRoot(options));
    const path = join(directory, 'root.pem');
    assert.match(openssl('', 'verify', '-x509_strict', '-CAfile', path, path), /OK/);
    const text = openssl('', 'x509', '-in', path, '-noout', '-text');
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    assert.match(text, /URI:spiffe:\/\/cluster\.local\n/);
    assert.match(text, /NIST CURVE: P-256/);
    const lifeMs = certificate.notAfterMs - systemClock.now();
    assert.ok(Math.abs(lifeMs - 10 * yearMs) < 60_000);
  });

  test('keeps the signing key from being exported', async () => {
    const { signingKey } = unwrap(await openRoot(options));
    assert.equal(signingKey.extractable, false);
    assert.deepEqual(signingKey.usages, ['sign']);
  });

  test('trusts further roots in root.pem, and signs with the one that the key belongs to', async () => {
    const path = join(directory, 'root.pem');
    const first = unwrap(await openRoot(options));
    const otherDirectory = join(temporary.path, 'other');
    const other = unwrap(await openRoot({ ...options, directory: otherDirectory }));
    writeFileSync(path, other.bundle.pem + first.bundle.pem);
    const both: Root = unwrap(await openRoot(options));
    assert.ok(both.certificate.x509.raw.equals(first.certificate.x509.raw));
    assert.equal(both.bundle.roots.length, 2);
    assert.ok(both.bundle.roots[0]!.x509.raw.equals(first.certificate.x509.raw));
  });

  test('refuses damaged files, naming the one', async () => {
    await openRoot(options);
    for (const name of ['root.pem', 'root.key']) {
      const path = join(directory, name);
      const good = readFileSync(path, 'utf8');
      for (const bad of ['', 'hello', good.slice(0, good.length / 2)]) {
        writeFileSync(path, bad);
        const error = await openError();
        assert.equal(error.code, 'HEDDLE_CA_CORRUPT');
        assert.ok(error.message.includes(name), error.message);
      }
      writeFileSync(path, good);
    }
  });

  test('refuses a key that belongs to another root', async () => {
    await openRoot(options);
    writeFileSync(join(directory, 'root.key'), exportPrivateKey(generateKeyPair()));
    assert.match((await openError()).message, /does not belong/);
  });

  test('refuses a key on another curve', async () => {
    await openRoot(options);
    const pem = openssl('', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384');
    writeFileSync(join(directory, 'root.key'), pem);
    assert.match((await openError()).message, /not an ECDSA P-256 key/);
  });

  test('refuses half of a root instead of making a new one', async () => {
    for (const name of ['root.pem', 'root.key']) {
      await openRoot(options);
      const path = join(directory, name);
      const good = readFileSync(path);
      rmSync(path);
      const error = await openError();
      assert.equal(error.code, 'HEDDLE_CA_CORRUPT');
      assert.match(error.message, new RegExp(`${name} is missing`));
      writeFileSync(path, good, { mode: 0o600 });
    }
  });

  test('refuses the root of another trust domain', async () => {
    await openRoot(options);
    const error = await openError({ trustDomain: unwrap(parseTrustDomain('other.example')) });
    assert.equal(error.code, 'HEDDLE_TRUST_DOMAIN_FIXED');
    assert.match(error.message, /belongs to the trust domain cluster\.local, .*other\.example needs/);
  });

  test('refuses a key that others may read', async () => {
    await openRoot(options);
    chmodSync(join(directory, 'root.key'), 0o640);
    assert.equal((await openError()).code, 'HEDDLE_CA_KEY_EXPOSED');
  });

  test('refuses an expired root', async () => {
    await openRoot(options);
    const clock = { ...systemClock, now: () => systemClock.now() + 11 * yearMs };
    assert.equal((await openError({ clock })).code, 'HEDDLE_CA_ROOT_EXPIRED');
  });

  test('says in one sentence when the directory cannot be used', async () => {
    const blocked = join(temporary.path, 'file');
    writeFileSync(blocked, '');
    const error = await openError({ directory: join(blocked, 'ca') });
    assert.equal(error.code, 'HEDDLE_CA_FILES');
    assert.match(error.message, /ENOTDIR/);
  });
});
