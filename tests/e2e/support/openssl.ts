// Certificates and connections made with the program `openssl`: another implementation than the one under test.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import type { Child } from '@heddle/testkit';
import type { Sandbox } from './sandbox.ts';

export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

async function openssl(sandbox: Sandbox, parameters: readonly string[]): Promise<void> {
  const child = sandbox.start('openssl', parameters);
  await child.ended();
  assert.equal(child.exit?.code, 0, `openssl ${parameters.join(' ')}: ${child.output}`);
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A root of nobody's mesh. */
export async function makeForeignRoot(sandbox: Sandbox): Promise<KeyedCertificate> {
  const [certificate, key] = [sandbox.path('foreign-root.pem'), sandbox.path('foreign-root.key')];
  const names = ['-subj', '/O=cluster.local/CN=Heddle root', '-addext', 'keyUsage=critical,keyCertSign'];
  await openssl(sandbox, [
    ...['req', '-x509', ...newKey, '-days', '2', ...names],
    ...['-addext', 'subjectAltName=URI:spiffe://cluster.local', '-keyout', key, '-out', certificate],
  ]);
  return { certificate, key };
}

/** `YYYYMMDDHHMMSSZ`. */
function opensslTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
}

export interface LeafOptions {
  readonly name: string;
  readonly issuer: KeyedCertificate;
  readonly spiffeId: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A workload's certificate, made past the mesh's own authority. */
export async function issueLeaf(sandbox: Sandbox, options: LeafOptions): Promise<KeyedCertificate> {
  const { name, issuer, spiffeId, notBeforeMs, notAfterMs } = options;
  const directory = sandbox.path(`ca-${name}`);
  await mkdir(directory);
  await sandbox.write(`ca-${name}/index.txt`, '');
  const configuration = await sandbox.write(
    `ca-${name}/ca.cnf`,
    `[ca]
default_ca = this
[this]
database = ${directory}/index.txt
new_certs_dir = ${directory}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = leaf
[any]
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = critical,URI:${spiffeId}
`,
  );
  const [request, key] = [sandbox.path(`${name}.csr`), sandbox.path(`${name}.key`)];
  const certificate = sandbox.path(`${name}.pem`);
  await openssl(sandbox, ['req', '-new', ...newKey, '-subj', '/CN=x', '-keyout', key, '-out', request]);
  await openssl(sandbox, [
    ...['ca', '-batch', '-notext', '-config', configuration, '-cert', issuer.certificate],
    ...['-keyfile', issuer.key, '-in', request, '-out', certificate],
    ...['-startdate', opensslTime(notBeforeMs), '-enddate', opensslTime(notAfterMs)],
  ]);
  return { certificate, key };
}

/** Connects by TLS, whoever the server may be, and sends a request; ends when the server closes. */
export async function sendByOpenssl(
  sandbox: Sandbox,
  port: number,
  requestFile: string,
  parameters: readonly string[],
): Promise<Child> {
  // `-quiet` keeps it there after the end of its input, until the server ends the connection.
  const script = 'input=$1; shift; exec openssl s_client -quiet "$@" < "$input"';
  const address = ['-connect', `127.0.0.1:${port}`, '-alpn', 'http/1.1'];
  const child = sandbox.start('sh', ['-c', script, 'sh', requestFile, ...address, ...parameters], {
    name: 'openssl s_client',
  });
  await child.ended();
  return child;
}
