// Where a proxy of a comparison runs, and the configuration it is given there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, runChild } from '@heddle/testkit';

/** What the load talks to a proxy: each suite has one such listener. */
export type Front = 'http' | 'https' | 'tcp';

export interface Place {
  /** For its configuration, logs and process ids. */
  readonly directory: string;
  readonly front: Front;
  /** By front. The HTTP one listens in every suite where the proxy has several listeners. */
  readonly ports: Readonly<Record<Front, number>>;
  readonly adminPort: number;
  readonly backendPort: number;
}

/** Ports nobody has now. */
export async function choosePlace(directory: string, front: Front): Promise<Place> {
  const [http, https, tcp, adminPort, backendPort] = await Promise.all(
    Array.from({ length: 5 }, () => freePort()),
  );
  return {
    directory,
    front,
    ports: { http: http!, https: https!, tcp: tcp! },
    adminPort: adminPort!,
    backendPort: backendPort!,
  };
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
    accessLog: writesAccessLog ? readTemplate('envoy-access-log.yaml') : '',
  });
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
