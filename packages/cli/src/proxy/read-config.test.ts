import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ProxyFlags } from '../commands/proxy.ts';
import { readProxyConfig } from './read-config.ts';

async function configOf(t: TestContext, text: string, configYaml?: string) {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-config-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const bootstrap = join(directory, 'envoy.yaml');
  await writeFile(bootstrap, text);
  // Nothing else of the flags is looked at.
  return await readProxyConfig({
    bootstrap,
    ...(configYaml === undefined ? {} : { configYaml }),
  } as ProxyFlags);
}

test('what --config-yaml adds stands in --config-yaml', async (t) => {
  const { source } = await configOf(t, 'list: [a, b]\nmap:\n  x: 1\n', 'list: [c]\nmap: {x: 2, y: 3}');
  assert.deepEqual(source.value, { list: ['a', 'b', 'c'], map: { x: 2, y: 3 } });
  assert.deepEqual(source.locate(['list', 1]), { line: 1, column: 11 });
  assert.deepEqual(source.locate(['list', 2]), { line: 1, column: 8, file: '--config-yaml' });
  assert.deepEqual(source.locate(['map', 'y']), { line: 2, column: 16, file: '--config-yaml' });
});

test('a problem is told once, with its subject, however many aliases repeat it', async (t) => {
  const said: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0);
  const config = await configOf(t, 'a: &a\n  pipe: 1\nb: *a\n');
  const problemAt = (key: string) => ({
    code: 'HEDDLE_XDS_UNSUPPORTED_FIELD',
    severity: 'error' as const,
    message: 'is not supported yet',
    path: `${key}.pipe`,
    file: config.source.file,
    ...config.source.locate([key, 'pipe']),
  });
  config.refuse([problemAt('a'), problemAt('b')]);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /:2:9: error: pipe is not supported yet\n[^]*also at b\.pipe/);
});
