import { fileURLToPath } from 'node:url';
import { relative, sep } from 'node:path';
import { isTestFile, repositoryRoot } from './source-files.ts';

/** Modules of Node.js that a sidecar may load, each with its use. */
const builtins: Readonly<Record<string, string>> = {
  buffer: 'bytes',
  crypto: 'keys, certificate requests, fingerprints, random numbers',
  dns: 'names of upstreams',
  events: 'the processes and sockets we are given',
  fs: 'identity and snapshot on disk, access logs',
  'fs/promises': 'identity and snapshot on disk, access logs',
  module: 'the compile cache',
  net: 'connections',
  os: 'the machine’s limits',
  path: 'files',
  process: 'signals and arguments',
  tls: 'connections',
  url: 'paths of files',
  util: 'errors of the system',
  v8: 'the garbage that starting leaves',
  vm: 'the garbage that starting leaves',
};

/** Parts of our own packages that a sidecar has a use for; what lies elsewhere is not to be loaded. */
const parts: readonly { readonly path: RegExp; readonly use: string }[] = [
  { path: /^packages\/base\/src\//, use: 'errors, clock, logger' },
  { path: /^packages\/telemetry\/src\//, use: 'metrics, access logs, trace headers' },
  { path: /^packages\/identity\/src\//, use: 'its key, certificate request and certificate' },
  { path: /^packages\/xds\/src\/(?!server\/|json\/)/, use: 'its configuration' },
  {
    path: /^packages\/xds\/src\/server\/(?:encode-resource|version-table)\.ts$/,
    use: 'small, and named by the index of the package',
  },
  { path: /^packages\/proxy\/src\/(?!bootstrap\/)/, use: 'the data plane' },
  { path: /^packages\/testkit\/src\/modules\//, use: 'records what the others are' },
];

/** Why a sidecar should not have loaded this module; null where it may. */
export function judgeSidecarModule(url: string): string | null {
  if (url.startsWith('node:')) {
    return Object.hasOwn(builtins, url.slice('node:'.length))
      ? null
      : `${url}: not among the built-in modules it uses`;
  }
  if (!url.startsWith('file:')) return `${url}: neither a file nor built in`;
  const path = relative(repositoryRoot, fileURLToPath(url)).split(sep).join('/');
  if (isTestFile(path) && !path.startsWith('packages/testkit/src/modules/')) return `${path}: for tests`;
  return parts.some((part) => part.path.test(path)) ? null : `${path}: no part of a sidecar`;
}
