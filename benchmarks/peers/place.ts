// Where a proxy of a comparison runs, and the configuration it is given there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, runChild } from '@heddle/testkit';

/**
 * What the load talks to a proxy: each suite has one such listener. `h2` is HTTP/2 without TLS on both sides. In front of a
 * chain, two sidecars with mTLS between them, is HTTP without TLS; behind it HTTP/1.1, or HTTP/2 for `chain-grpc`.
 */
const fronts = ['http', 'https', 'tcp', 'h2', 'chain', 'chain-grpc'] as const;
export type Front = (typeof fronts)[number];

export interface Place {
  /** For its configuration, logs and process ids. */
  readonly directory: string;
  readonly front: Front;
  /** By front. The HTTP one listens in every suite where the proxy has several listeners. */
  readonly ports: Readonly<Record<Front, number>>;
  readonly adminPort: number;
  readonly backendPort: number;
  /** Of a chain's second proxy. */
  readonly innerPort: number;
  readonly innerAdminPort: number;
}

/** Ports nobody has now. */
export async function choosePlace(directory: string, front: Front): Promise<Place> {
  const ports = {} as Record<Front, number>;
  for (const one of fronts) ports[one] = await freePort();
  const [adminPort, backendPort, innerPort, innerAdminPort] = [
    ...[await freePort(), await freePort(), await freePort(), await freePort()],
  ] as [number, number, number, number];
  return { directory, front, ports, adminPort, backendPort, innerPort, innerAdminPort };
}

/** Whether it is two sidecars that the load goes through. */
export function isChain(place: Place): boolean {
  return place.front === 'chain' || place.front === 'chain-grpc';
}

/** The port that the load goes to. */
export function frontPort(place: Place): number {
  return place.ports[place.front];
}

function readTemplate(name: string): string {
  return readFileSync(new URL(`templates/${name}`, import.meta.url), 'utf8');
}

/** Fills a file of `templates/` in, with what depends on the place and `more`, and writes it where the peer runs. */
export function writeConfiguration(
  name: string,
  place: Place,
  more: Readonly<Record<string, string>> = {},
): string {
  const values: Readonly<Record<string, string>> = {
    directory: place.directory,
    front: String(frontPort(place)),
    http: String(place.ports.http),
    https: String(place.ports.https),
    tcp: String(place.ports.tcp),
    h2: String(place.ports.h2),
    inner: String(place.innerPort),
    innerAdmin: String(place.innerAdminPort),
    admin: String(place.adminPort),
    backend: String(place.backendPort),
    ...more,
  };
  const path = join(place.directory, name);
  writeFileSync(path, fill(readTemplate(name), values));
  return path;
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (whole, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`a template asks for ${whole}, which nobody gives`);
    // A fragment has places to fill in too.
    return value.includes('{{') ? fill(value, values) : value;
  });
}

/**
 * The file that Envoy and Heddle read: the same but for the access log of one request in a hundred, which Heddle writes
 * as it does in a mesh and Envoy is spared.
 */
export function writeEnvoyConfiguration(place: Place, writesAccessLog: boolean): string {
  return writeConfiguration('envoy.yaml', place, {
    listener: place.front === 'http' ? '' : readTemplate(`envoy-${place.front}.yaml`),
    protocol: place.front === 'h2' ? readTemplate('envoy-h2-cluster.yaml') : '',
    accessLog: writesAccessLog ? readTemplate('envoy-access-log.yaml') : '',
  });
}

/** The files of a chain's two sidecars, which Envoy and Heddle read alike: that of the server's, and that of the client's. */
export function writeChainConfiguration(place: Place): readonly [server: string, client: string] {
  const isGrpc = place.front === 'chain-grpc';
  const server = writeConfiguration('chain-server.yaml', place, {
    protocol: isGrpc ? readTemplate('envoy-h2-cluster.yaml') : '',
    method: isGrpc ? 'POST' : 'GET',
  });
  return [server, writeConfiguration('chain-client.yaml', place)];
}

/** A P-256 certificate for all peers of the TLS suite: `certificate.pem`, `key.pem`, both in `both.pem`. */
export async function writeCertificate(directory: string): Promise<void> {
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')];
  const parameters = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'];
  const made = await runChild('openssl', { arguments: [...parameters, ...names] });
  if (made.exit?.code !== 0) throw new Error(`openssl made no certificate:\n${made.output}`);
  writeFileSync(join(directory, 'both.pem'), readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
}

/** A certificate authority and what its two sidecars show: `ca.pem`, `client.pem` and `server.pem` with their keys. */
export async function writeChainCertificates(directory: string): Promise<void> {
  const openssl = async (...parameters: string[]): Promise<void> => {
    const made = await runChild('openssl', { arguments: parameters, directory });
    if (made.exit?.code !== 0) throw new Error(`openssl made no certificate:\n${made.output}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority'];
  await openssl('req', '-x509', ...key, ...authority);
  for (const name of ['client', 'server']) {
    const identity = `subjectAltName=critical,URI:spiffe://cluster.local/ns/default/sa/${name}`;
    const rest = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];
    const extensions = [identity, ...rest, 'extendedKeyUsage=serverAuth,clientAuth'];
    writeFileSync(join(directory, `${name}.ext`), `${extensions.join('\n')}\n`);
    await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/');
    const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl('x509', '-req', ...signed, '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
}
