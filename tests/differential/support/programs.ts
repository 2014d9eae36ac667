// The two proxies under comparison, and what it takes to run them.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findEnvoy, findProgram } from '@heddle/testkit';
import type { Program } from './side.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Null where it is not installed. */
export const envoy = findEnvoy();
export const openssl = findProgram('openssl');

export const theirProgram: Program = {
  name: 'envoy',
  program: envoy ?? '',
  arguments: (file) => [
    ...['-c', file, '--concurrency', '1', '-l', 'off', '--disable-hot-restart'],
    ...['--file-flush-interval-msec', '20'],
  ],
};

export const ourProgram: Program = {
  name: 'heddle',
  program: join(root, 'packages/cli/bin/heddle'),
  arguments: (file) => ['proxy', '--bootstrap', file],
};
