import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

const bootstrap = (backendPort: number): string => `static_resources:
  listeners:
    - name: web
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: web
                route_config:
                  name: web
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
    - name: app
      type: STATIC
      load_assignment:
        cluster_name: app
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${backendPort} } } }
`;

test('serves what a bootstrap file says until SIGTERM, and refuses one with an unknown field by line', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-proxy-'));
  const backend = createServer((_request, response) => response.end('from the backend')).listen(
    0,
    '127.0.0.1',
  );
  t.after(async () => {
    backend.close();
    backend.closeAllConnections();
    await rm(directory, { recursive: true, force: true });
  });
  await once(backend, 'listening');
  const address = backend.address();
  const text = bootstrap(typeof address === 'object' ? (address?.port ?? 0) : 0);
  const file = join(directory, 'envoy.yaml');
  await writeFile(file, text);

  const pidFile = join(directory, 'pid');
  const proxy = spawn(process.execPath, [program, 'proxy', '--bootstrap', file, '--pid-file', pidFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(proxy, 'close');
  let said = '';
  while (!said.includes('\n')) said += String((await once(proxy.stderr, 'data'))[0]);
  const [, port] = /^heddle: listener web on 127\.0\.0\.1:(\d+)\n/.exec(said) ?? [];
  assert.ok(port !== undefined, said);
  const answer = Promise.withResolvers<string>();
  get(`http://127.0.0.1:${port}/`, { agent: false }, (response) => {
    response.setEncoding('utf8').once('data', answer.resolve);
  }).once('error', answer.reject);
  assert.equal(await answer.promise, 'from the backend');
  assert.equal(await readFile(pidFile, 'utf8'), `${proxy.pid}\n`);
  proxy.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  await assert.rejects(readFile(pidFile), { code: 'ENOENT' }, 'nobody has that id any more');

  await writeFile(file, text.replace('stat_prefix', 'stat_prefx'));
  const refused = spawn(process.execPath, [program, 'proxy', '--bootstrap', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let reason = '';
  refused.stderr.on('data', (chunk: Buffer) => (reason += chunk.toString()));
  assert.deepEqual(await once(refused, 'close'), [1, null]);
  assert.match(reason, /envoy\.yaml:10:\d+: error: .*stat_prefx/);
  assert.match(reason, /error: 1 error, nothing was started \(HEDDLE_BOOTSTRAP_REFUSED\)\n$/);
});

for (const flag of ['--log-path', '--pid-file']) {
  test(`a ${flag} that cannot be written is refused in one sentence`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'heddle-proxy-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, 'envoy.yaml');
    await writeFile(file, bootstrap(1));
    const path = join(directory, 'missing', 'p');
    const refused = spawn(process.execPath, [program, 'proxy', '--bootstrap', file, flag, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    refused.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    assert.deepEqual(await once(refused, 'close'), [1, null]);
    const sentence = `error: can't write to '${path}': there is no such directory (HEDDLE_FILE_UNWRITABLE)\n`;
    assert.ok(said.endsWith(sentence), said);
  });
}
