// The certificates of a run: one authority, whose certificate the listeners show as their own, and the clients that it vouches for.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from '@heddle/testkit';

const clients = {
  client: ['URI:spiffe://cluster.local/ns/default/sa/client', 'DNS:client.example'],
  other: ['URI:spiffe://cluster.local/ns/default/sa/other'],
  dns: ['DNS:dns.example'],
  subject: [],
} as const;

export type ClientName = keyof typeof clients;

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** Of the authority: what clients trust. */
  readonly authority: string;
  /** The authority's own, which servers show. */
  readonly server: Certificate;
  readonly of: Readonly<Record<ClientName, Certificate>>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes them in `directory`, the authority's as `cert.pem` and `key.pem`. */
export async function makeCertificates(openssl: string, directory: string): Promise<Certificates> {
  const run = (...parameters: string[]): Promise<unknown> =>
    runChild(openssl, { directory, arguments: parameters });
  await run(
    ...['req', '-x509', ...newKey, '-days', '2'],
    ...['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost'],
  );
  const read = (file: string): Promise<string> => readFile(join(directory, file), 'utf8');
  const make = async (name: ClientName): Promise<Certificate> => {
    const names = clients[name];
    const sans = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`;
    await writeFile(join(directory, `${name}.ext`), `${sans}extendedKeyUsage=clientAuth\n`);
    await run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    await run(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'cert.pem', '-CAkey', 'key.pem', '-CAcreateserial'],
      ...['-days', '2', '-out', `${name}.pem`, '-extfile', `${name}.ext`],
    );
    return { cert: await read(`${name}.pem`), key: await read(`${name}.key`) };
  };
  return {
    authority: await read('cert.pem'),
    server: { cert: await read('cert.pem'), key: await read('key.pem') },
    of: {
      client: await make('client'),
      other: await make('other'),
      dns: await make('dns'),
      subject: await make('subject'),
    },
  };
}
