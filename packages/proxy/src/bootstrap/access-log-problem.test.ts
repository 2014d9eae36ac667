import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Problem } from '@heddle/base';
import { SeededRandom, temporaryDirectory, VirtualClock } from '@heddle/testkit';
import { clusterTo, listenerTo, startStaticProxy } from './static-proxy-harness.ts';
import { validateBootstrap } from './validate-bootstrap.ts';

const fileLog = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';

test('an access log that cannot be opened is a problem of the place that names it', async () => {
  const log = {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': fileLog,
      path: tmpdir(),
    },
  };
  const listeners = [listenerTo('a', 'be', {}, { access_log: [log] })];
  await assert.rejects(
    startStaticProxy({ static_resources: { listeners, clusters: [clusterTo('be', 1)] } }),
    ({ message }: Error) => {
      const [problem] = JSON.parse(message) as { code: string; path: string; message: string }[];
      assert.deepEqual(
        [problem?.code, problem?.path, problem?.message],
        [
          'HEDDLE_ACCESS_LOG_OPEN',
          'static_resources.listeners[0].filter_chains[0].filters[0].typed_config.access_log[0].typed_config.path',
          `can't open the access log '${tmpdir()}': it is a directory`,
        ],
      );
      return true;
    },
  );
});

test('a file is judged by whether its access logs could be opened, and none is made', async () => {
  await using directory = await temporaryDirectory('heddle-access-log');
  const judge = (path: string): readonly Problem[] => {
    const config = { '@type': fileLog, path };
    const listeners = [listenerTo('a', 'be', {}, { access_log: [{ name: 'file', typed_config: config }] })];
    const value = { static_resources: { listeners, clusters: [clusterTo('be', 1)] } };
    const source = { file: 'envoy.yaml', value, locate: () => ({ line: 1, column: 1 }) };
    return validateBootstrap(source, new VirtualClock(), new SeededRandom(1));
  };
  const fresh = join(directory.path, 'access.log');
  assert.deepEqual(judge(fresh), []);
  assert.equal(existsSync(fresh), false);
  assert.deepEqual(judge('/dev/stdout'), []);
  for (const path of [directory.path, join(directory.path, 'missing', 'access.log')]) {
    const [problem, ...others] = judge(path);
    assert.deepEqual([problem?.code, problem?.file, others], ['HEDDLE_ACCESS_LOG_OPEN', 'envoy.yaml', []]);
  }
});
