import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createPublicKey } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { HeddleError, createLogger, err, ok, silentLogger, systemClock } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { IdentityStore } from './identity-store.ts';
import { WorkloadCertificate, acceptIssuedCertificate } from './issued-certificate.ts';
import { type KeyPair, generateKeyPair } from './key-pair.ts';
import { type SpiffeId, parseSpiffeId } from './spiffe-id.ts';
import {
  type TestCertificate,
  type TestCertificateOptions,
  Usage,
  bundleOf,
  makeCertificate,
  makeLeaf,
  makeRoot,
} from './test-authority.ts';
import { type RequestCertificate, WorkloadIdentity, loadWorkloadIdentity } from './workload-identity.ts';

const uri = 'spiffe://cluster.local/ns/default/sa/reviews';
const who = { namespace: 'default', serviceAccount: 'reviews' };
const hourMs = 3_600_000;
const root = makeRoot('cluster.local');
const bundle = bundleOf('cluster.local', root);

function id(): SpiffeId {
  const parsed = parseSpiffeId(uri);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** The key that a request is for, as OpenSSL reads it. */
function requestedKey(requestPem: string): KeyPair {
  const pem = execFileSync('openssl', ['req', '-pubkey', '-noout'], { input: requestPem, encoding: 'utf8' });
  return { ...generateKeyPair(), publicKey: createPublicKey(pem) };
}

function issuer(from: TestCertificate, name = uri, options: TestCertificateOptions = {}): RequestCertificate {
  return (requestPem) =>
    Promise.resolve(ok(makeLeaf(from, name, { key: requestedKey(requestPem), ...options }).pem));
}

let directory = '';

async function storedIdentity(options: TestCertificateOptions = {}): Promise<WorkloadIdentity> {
  const leaf = makeLeaf(root, uri, options);
  const certificate = new WorkloadCertificate(leaf.key, [leaf.certificate]);
  await new IdentityStore(directory).write({
    privateKey: leaf.keyPem,
    certificateChain: leaf.pem,
    bundle: root.pem,
    xdsAddress: '127.0.0.1:15012',
  });
  const environment = { stateDirectory: directory, clock: systemClock, logger: silentLogger };
  return new WorkloadIdentity(environment, id(), '127.0.0.1:15012', certificate, bundle);
}

function load(clock = systemClock): ReturnType<typeof loadWorkloadIdentity> {
  return loadWorkloadIdentity({ ...who, stateDirectory: directory, clock });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heddle-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('WorkloadIdentity', () => {
  test('renews with a fresh key, tells its listeners, and starts from it the next time', async () => {
    const identity = await storedIdentity();
    const before = identity.certificate;
    let changes = 0;
    const stop = identity.onChange(() => changes++);
    const outcome = await identity.renew(issuer(root));
    assert.ok(outcome.ok);
    assert.equal(changes, 1);
    assert.notEqual(identity.certificate.version, before.version);
    assert.notEqual(identity.certificate.privateKey, before.privateKey);
    const loaded = await load();
    assert.ok(loaded.ok && loaded.value !== null);
    assert.equal(loaded.value.certificate.version, identity.certificate.version);
    assert.equal(loaded.value.certificate.privateKey, identity.certificate.privateKey);
    assert.equal(loaded.value.xdsAddress, '127.0.0.1:15012');
    stop();
    await identity.renew(issuer(root));
    assert.equal(changes, 1);
  });

  test('keeps its files for the owner only and leaves no others behind', async () => {
    const identity = await storedIdentity();
    await identity.renew(issuer(root));
    const files = (await readdir(directory)).toSorted();
    assert.deepEqual(files, ['bundle.pem', 'identity.pem', 'mesh.json']);
    for (const file of files) assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600, file);
  });

  const bad: readonly (readonly [string, RequestCertificate, RegExp])[] = [
    ['for another key', () => Promise.resolve(ok(makeLeaf(root, uri).pem)), /another key/],
    ['for another identity', issuer(root, 'spiffe://cluster.local/ns/default/sa/admin'), /and not for/],
    ['of a foreign authority', issuer(makeRoot('cluster.local')), /does not end in a root/],
    ['that has expired', issuer(root, uri, { notAfterMs: Date.now() - 2000 }), /expired/],
    ['that is not good yet', issuer(root, uri, { notBeforeMs: Date.now() + hourMs }), /not valid before/],
    [
      'that is good for one side only',
      issuer(root, uri, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
      /TLS client/,
    ],
    ['that cannot be read', () => Promise.resolve(ok('hello')), /no PEM block/],
  ];
  for (const [name, request, message] of bad) {
    test(`refuses a certificate ${name} and keeps the one it has, in memory and on disk`, async () => {
      const identity = await storedIdentity();
      const before = identity.certificate;
      const onDisk = await readFile(join(directory, 'identity.pem'), 'utf8');
      identity.onChange(() => assert.fail('nothing has changed'));
      const outcome = await identity.renew(request);
      assert.ok(!outcome.ok);
      assert.equal(outcome.error.code, 'HEDDLE_CERTIFICATE_REFUSED');
      assert.match(outcome.error.message, message);
      assert.equal(identity.certificate, before);
      assert.equal(await readFile(join(directory, 'identity.pem'), 'utf8'), onDisk);
    });
  }

  test('passes on why no certificate came', async () => {
    const identity = await storedIdentity();
    const refusal = new HeddleError('HEDDLE_TEST', 'not today');
    assert.deepEqual(await identity.renew(() => Promise.resolve(err(refusal))), err(refusal));
    const thrown = await identity.renew(() => Promise.reject(new Error('broken pipe')));
    assert.ok(!thrown.ok);
    assert.match(thrown.error.message, /broken pipe/);
  });

  test('does not wait for ever for an answer, and ignores one that comes late', async () => {
    const clock = new VirtualClock({ epochMs: Date.now() });
    const leaf = makeLeaf(root, uri);
    const certificate = new WorkloadCertificate(leaf.key, [leaf.certificate]);
    const identity = new WorkloadIdentity(
      { stateDirectory: directory, clock },
      id(),
      'x:1',
      certificate,
      bundle,
    );
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof ok<string>>>();
    const outcome = identity.renew(() => promise);
    await clock.advanceAsync(30_000);
    const settled = await outcome;
    assert.ok(!settled.ok);
    assert.match(settled.error.message, /does not answer/);
    resolve(ok(makeLeaf(root, uri).pem));
    await clock.advanceAsync(1000);
    assert.equal(identity.certificate, certificate);
  });

  test('uses a good certificate even where it cannot be stored, and says so', async () => {
    const identity = await storedIdentity();
    const lines: string[] = [];
    const blocked = join(directory, 'mesh.json', 'below-a-file');
    const environment = {
      stateDirectory: blocked,
      clock: systemClock,
      logger: createLogger({ sink: (line) => lines.push(line) }),
    };
    const homeless = new WorkloadIdentity(environment, id(), 'x:1', identity.certificate, bundle);
    const outcome = await homeless.renew(issuer(root));
    assert.ok(outcome.ok);
    assert.notEqual(homeless.certificate.version, identity.certificate.version);
    assert.match(lines.join(''), /cannot be stored/);
    assert.doesNotMatch(lines.join(''), /PRIVATE/);
  });

  test('takes new roots of its own trust domain only, stores them, and becomes urgent when it stands under none', async () => {
    const identity = await storedIdentity();
    const next = makeRoot('cluster.local');
    const renewable = identity.renewal(issuer(next));
    let changes = 0;
    identity.onChange(() => changes++);
    assert.ok(!(await identity.replaceBundle(makeRoot('other.example').pem)).ok);
    assert.ok(!(await identity.replaceBundle('')).ok);
    assert.ok((await identity.replaceBundle(root.pem)).ok);
    assert.equal(changes, 0);
    assert.ok((await identity.replaceBundle(root.pem + next.pem)).ok);
    assert.equal(changes, 1);
    assert.ok(!renewable.isUrgent());
    const loaded = await load();
    assert.ok(loaded.ok && loaded.value !== null);
    assert.equal(loaded.value.bundle.version, identity.bundle.version);
    assert.ok((await identity.replaceBundle(next.pem)).ok);
    assert.ok(renewable.isUrgent());
    assert.ok((await renewable.renew()).ok);
    assert.ok(!renewable.isUrgent());
  });

  test('shows its key neither when printed nor when serialised', async () => {
    const identity = await storedIdentity();
    const secret = identity.certificate.privateKey.split('\n')[1]!;
    const shown = inspect(identity, { depth: 10, showHidden: true }) + JSON.stringify(identity);
    assert.ok(!shown.includes(secret));
    assert.match(shown, /BEGIN CERTIFICATE/);
  });
});

describe('loadWorkloadIdentity', () => {
  test('gives nothing where nothing is stored', async () => {
    assert.deepEqual(await load(), { ok: true, value: null });
  });

  test('gives nothing where joining stopped before the end', async () => {
    await storedIdentity();
    await rm(join(directory, 'identity.pem'));
    assert.deepEqual(await load(), { ok: true, value: null });
  });

  const spoilers: readonly (readonly [string, () => Promise<void>, RegExp])[] = [
    ['is cut off', () => truncate('identity.pem'), /cannot be|no end/],
    ['has no certificate', () => writeFile(join(directory, 'identity.pem'), 'hello'), /holds no certificate/],
    ['has lost its bundle', () => rm(join(directory, 'bundle.pem')), /ENOENT/],
    [
      'has another bundle',
      () => writeFile(join(directory, 'bundle.pem'), makeRoot('cluster.local').pem),
      /does not end/,
    ],
    ['has a damaged mesh file', () => truncate('mesh.json'), /damaged/],
    ["has a key that is not the certificate's", swapKey, /another key/],
  ];
  for (const [name, spoil, message] of spoilers) {
    test(`refuses an identity that ${name}, without repeating it`, async () => {
      const identity = await storedIdentity();
      await spoil();
      const loaded = await load();
      assert.ok(!loaded.ok);
      assert.equal(loaded.error.code, 'HEDDLE_IDENTITY_STATE_INVALID');
      assert.match(loaded.error.message, message);
      assert.ok(!inspect(loaded.error).includes(identity.certificate.privateKey.split('\n')[1]!));
    });
  }

  test("refuses an identity that has expired or is somebody else's", async () => {
    await storedIdentity();
    const late = await load({ ...systemClock, now: () => Date.now() + 2 * hourMs });
    assert.ok(!late.ok);
    assert.match(late.error.message, /expired/);
    const other = await loadWorkloadIdentity({
      namespace: 'default',
      serviceAccount: 'admin',
      stateDirectory: directory,
      clock: systemClock,
    });
    assert.ok(!other.ok);
    assert.match(other.error.message, /not service account default\/admin/);
  });

  async function truncate(file: string): Promise<void> {
    const path = join(directory, file);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, Math.floor(text.length / 2)));
  }

  async function swapKey(): Promise<void> {
    const path = join(directory, 'identity.pem');
    const text = await readFile(path, 'utf8');
    const leaf = makeLeaf(root, uri);
    await writeFile(path, leaf.keyPem + text.slice(text.indexOf('-----BEGIN CERTIFICATE')));
  }
});

describe('acceptIssuedCertificate', () => {
  test('keeps an authority between and leaves out the root', () => {
    const between = makeCertificate(
      { isAuthority: true, keyUsage: Usage.keyCertSign, name: 'between' },
      root,
    );
    const leaf = makeLeaf(between, uri);
    const chain = leaf.pem + between.pem + root.pem;
    const accepted = acceptIssuedCertificate(leaf.key, id(), chain, bundle, Date.now());
    assert.ok(accepted.ok);
    assert.equal(accepted.value.certificateChain, leaf.pem + between.pem);
  });
});
