// The instances of the demo's application.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BindAddress } from '@heddle/proxy';
import { parseUpstream } from '../flags.ts';
import { findProgram } from '../supervisor/resolve-program.ts';
import type { WorkloadOptions } from '../supervisor/workload-options.ts';

const servicePort = 9080;

/** Where the bookstore lies: in the checkout, and beside the program in what is published. */
export function bookstoreDirectory(): string {
  const candidates = ['../../../../examples/bookinfo/', '../../examples/bookinfo/', '../examples/bookinfo/'];
  const found = candidates
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'productpage.js')));
  return found ?? fileURLToPath(new URL(candidates[0]!, import.meta.url));
}

/** The bookstore's instances; `hasPython` says whether details can be the Python program that it is. */
export function bookstore(
  store: string,
  page: BindAddress,
  hasPython: string | undefined,
): readonly WorkloadOptions[] {
  const directory = bookstoreDirectory();
  const node = (file: string, ...words: string[]): string[] => [
    process.execPath,
    join(directory, file),
    ...words,
  ];
  const instance = (
    service: string,
    version: string,
    command: readonly string[],
    upstreams: readonly string[] = [],
    expose: BindAddress | null = null,
  ): WorkloadOptions => ({
    service,
    version,
    command,
    expose,
    upstreams: upstreams.map((name) => parseUpstream(`${name}:${servicePort}`, 'default')),
    port: servicePort,
    appPort: null,
    protocol: 'http',
    proxy: 'heddle',
    envoy: null,
    intercept: null,
    namespace: 'default',
    serviceAccount: null,
    labels: {},
    join: null,
    token: null,
    store,
    inboundPort: null,
    advertise: null,
    accessLog: join(store, `access-${service}-${version}.log`),
    stopTimeoutMs: 5_000,
    concurrency: 1,
  });
  return [
    instance('productpage', 'v1', node('productpage.js'), ['details', 'reviews'], page),
    instance(
      'details',
      'v1',
      hasPython === undefined ? node('details.js') : [hasPython, join(directory, 'details.py')],
    ),
    instance('reviews', 'v1', node('reviews.js', 'v1')),
    instance('reviews', 'v2', node('reviews.js', 'v2'), ['ratings']),
    // Without an upstream: finds ratings by its name, through HTTP_PROXY.
    instance('reviews', 'v3', node('reviews.js', 'v3')),
    instance('ratings', 'v1', node('ratings.js')),
  ];
}

/** A Python that can run details.py. */
export async function findPython(): Promise<string | undefined> {
  return await findProgram('python3', process.env['PATH'] ?? '');
}
