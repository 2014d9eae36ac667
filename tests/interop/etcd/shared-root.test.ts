// The root that several control planes have in common, in a real etcd that asks for certificates.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '@heddle/base';
import { EtcdClient } from '@heddle/control-plane/etcd-client';
import { shareRoot } from '@heddle/control-plane/etcd-root';
import { EtcdServer, findProgram, runChild, skipWithout, temporaryDirectory } from '@heddle/testkit';

const skip = skipWithout({ etcd: EtcdServer.find(), openssl: findProgram('openssl') });

/** A root, and a certificate for 127.0.0.1 that servers and clients may use, made by openssl. */
async function makeCertificates(
  directory: string,
): Promise<{ ca: string; certificate: string; key: string }> {
  const [ca, certificate, key] = ['ca.pem', 'leaf.pem', 'leaf.key'].map((name) => `${directory}/${name}`);
  const openssl = async (...words: readonly string[]): Promise<void> => {
    const child = await runChild('openssl', { arguments: words });
    assert.equal(child.exit?.code, 0, child.output);
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-subj',
    '/CN=root',
    '-keyout',
    `${directory}/ca.key`,
    '-out',
    ca!,
  );
  const leaf = [
    '-subj',
    '/CN=etcd',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-addext',
    'basicConstraints=CA:FALSE',
  ];
  const issuer = ['-CA', ca!, '-CAkey', `${directory}/ca.key`];
  await openssl('req', '-x509', ...newKey, ...leaf, ...issuer, '-keyout', key!, '-out', certificate!);
  return { ca: ca!, certificate: certificate!, key: key! };
}

test('one root for all, over mutual TLS; whoever comes with another is refused', { skip }, async () => {
  await using directory = await temporaryDirectory();
  const files = await makeCertificates(directory.path);
  await using server = await EtcdServer.start(files);
  const [ca, certificate, key] = await Promise.all([
    readFile(files.ca),
    readFile(files.certificate),
    readFile(files.key),
  ]);
  const client = new EtcdClient({ endpoints: [server.endpoint], tls: { ca, certificate, key } }, systemClock);
  let made = 0;
  const join = async (name: string): Promise<string> => {
    const place = `${directory.path}/${name}`;
    await shareRoot(client, '/mesh', place, async () => {
      made++;
      await mkdir(place);
      await writeFile(`${place}/root.pem`, `certificate of ${name}`);
      await writeFile(`${place}/root.key`, `key of ${name}`);
    });
    return await readFile(`${place}/root.pem`, 'utf8');
  };
  // At once: one of them is first, and all have its root.
  const roots = await Promise.all(['a', 'b', 'c'].map(join));
  assert.ok(made >= 1);
  assert.equal(new Set(roots).size, 1);
  assert.equal(await join('late'), roots[0]);
  const before = made;
  assert.equal(await join('a'), roots[0], 'and again, as after a restart');
  assert.equal(made, before);
  await writeFile(`${directory.path}/a/root.pem`, 'another');
  await assert.rejects(join('a'), {
    code: 'HEDDLE_CA_CORRUPT',
    message: /is another than the one of the mesh/,
  });
  client.close();

  // Without a certificate of ours, or with a root that is not the server's, nobody gets in.
  for (const tls of [{ ca }, { ca: await readFile(files.certificate), certificate, key }]) {
    const stranger = new EtcdClient({ endpoints: [server.endpoint], tls }, systemClock);
    await assert.rejects(stranger.range({ key: '/mesh/ca/root' }), { code: 'HEDDLE_STORE_FAILED' });
    stranger.close();
  }
});
