import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { WorkloadIdentity } from '@heddle/identity';
import { temporaryDirectory } from '@heddle/testkit';
import { CertificateDirectory } from './certificate-directory.ts';

function identity(name: string): Pick<WorkloadIdentity, 'certificate' | 'bundle'> {
  return {
    certificate: { certificateChain: `chain ${name}`, privateKey: `key ${name}` },
    bundle: { pem: `roots ${name}` },
  } as unknown as Pick<WorkloadIdentity, 'certificate' | 'bundle'>;
}

test('certificate, key and roots are replaced in one step, and only the last are kept', async () => {
  await using directory = await temporaryDirectory('heddle-certificates');
  const path = join(directory.path, 'certificates');
  // What an agent that was killed has left.
  await mkdir(join(path, '1-1'), { recursive: true });
  await symlink('1-1', join(path, 'current'));
  const certificates = new CertificateDirectory(path);
  const { files } = certificates;
  const current = dirname(files.certificate);
  for (const name of ['a', 'b']) {
    const before = await readlink(current);
    await certificates.write(identity(name));
    assert.notEqual(await readlink(current), before);
    assert.equal(await readFile(files.certificate, 'utf8'), `chain ${name}`);
    assert.equal(await readFile(files.privateKey, 'utf8'), `key ${name}`);
    assert.equal(await readFile(files.roots, 'utf8'), `roots ${name}`);
  }
  assert.deepEqual((await readdir(path)).sort(), [await readlink(current), 'current'].sort());
  assert.equal((await stat(files.privateKey)).mode & 0o777, 0o600);
});
