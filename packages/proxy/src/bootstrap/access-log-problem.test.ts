import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { clusterTo, listenerTo, startStaticProxy } from './static-proxy-harness.ts';

test('an access log that cannot be opened is a problem of the place that names it', async () => {
  const log = {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
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
