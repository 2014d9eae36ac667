// Reads `--datastore`.
import { resolve } from 'node:path';
import type { DatastoreOptions } from '@heddle/control-plane';

/** A datastore as it is written on the command line; `isSecure` says that etcd is spoken to with TLS. */
export type DatastoreChoice =
  | Exclude<DatastoreOptions, { readonly type: 'etcd' }>
  | {
      readonly type: 'etcd';
      readonly endpoints: readonly string[];
      readonly prefix: string;
      readonly isSecure: boolean;
    };

const usage = 'write sqlite, memory, dir:PATH or etcd://HOST:PORT';
const defaultEtcdPort = 2379;
const defaultPrefix = '/heddle';

/** What was written without a user's name and password and without parameters: messages end up in logs. */
function withoutSecrets(input: string): string {
  return input
    .replace(/^((?:[a-z][a-z0-9+.-]*:\/*)?).*@/is, '$1***@')
    .replace(/[?#].*$/s, (rest) => `${rest[0]}***`);
}

/** `sqlite`, `memory`, `dir:PATH`, `etcd://HOST[:PORT][,…][/PREFIX]`; `etcds://` with TLS. */
export function parseDatastore(input: string): DatastoreChoice {
  if (input === 'sqlite' || input === 'memory') return { type: input };
  if (input.startsWith('dir:')) {
    const path = input.slice('dir:'.length);
    if (path === '') throw new Error(`'${input}' names no directory: write dir:PATH`);
    return { type: 'directory', path: resolve(path) };
  }
  const match = /^(etcds?):\/\/([^/?#@]+)(\/[^?#@]*)?$/.exec(input);
  if (match === null)
    throw new Error(`'${withoutSecrets(input)}' is no place to keep configuration in: ${usage}`);
  const [, scheme, members = '', path = ''] = match;
  const prefix = path.replace(/\/+$/, '');
  return {
    type: 'etcd',
    endpoints: members.split(',').map(parseEndpoint),
    prefix: prefix === '' ? defaultPrefix : prefix,
    isSecure: scheme === 'etcds',
  };
}

function parseEndpoint(member: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(member);
  const port = Number(match?.[2] ?? defaultEtcdPort);
  if (match === null || port < 1 || port > 65_535)
    throw new Error(`'${member}' is no member of etcd: write HOST:PORT`);
  return `${match[1]}:${port}`;
}
