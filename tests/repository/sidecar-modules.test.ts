import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  eventually,
  freePort,
  type ModuleRecord,
  readModuleRecords,
  recordingEnvironment,
  startChild,
  temporaryDirectory,
} from '@heddle/testkit';
import { sidecarEntry } from '@heddle/proxy';
import { judgeSidecarModule } from './support/sidecar-modules.ts';
import { repositoryRoot } from './support/source-files.ts';

const launcher = join(repositoryRoot, 'packages/cli/bin/heddle');
const application = `require('node:http').createServer((q, s) => s.end('ok')).listen(process.env.PORT, '127.0.0.1')`;

/**
 * Starts a control plane, an application and its sidecar, sends a request through, and returns what the sidecar loaded.
 * `preloaded` is a module that is put into it beside its own.
 */
async function modulesOfRunningSidecar(preloaded?: string): Promise<readonly ModuleRecord[]> {
  await using directory = await temporaryDirectory();
  const store = join(directory.path, 'store');
  const records = join(directory.path, 'modules');
  await mkdir(records);
  const [api, xds, joining, exposed] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const ports = ['--api-port', `${api}`, '--xds-port', `${xds}`, '--join-port', `${joining}`];
  await using controlPlane = await startChild(launcher, { arguments: ['up', '--store', store, ...ports] });
  await eventually('the control plane answers', async () => {
    if (controlPlane.exit !== null) throw new Error(`heddle up ended:\n${controlPlane.output}`);
    return await fetch(`http://127.0.0.1:${api}/healthz`)
      .then((response) => response.ok)
      .catch(() => false);
  });
  const run = ['run', '--store', store, '--service', 'a', '--port', '80', '--expose', `${exposed}`, '--'];
  const recording = recordingEnvironment(records);
  const preload = preloaded === undefined ? '' : ` --import=${preloaded}`;
  await using instance = await startChild(launcher, {
    arguments: [...run, process.execPath, '-e', application],
    environment: { ...recording, NODE_OPTIONS: `${recording['NODE_OPTIONS']}${preload}` },
  });
  await eventually('a request passes the sidecar', async () => {
    if (instance.exit !== null) throw new Error(`heddle run ended:\n${instance.output}`);
    return await fetch(`http://127.0.0.1:${exposed}/`)
      .then((response) => response.ok)
      .catch(() => false);
  });
  await instance.stop(15_000);
  await controlPlane.stop();
  return readModuleRecords(records).filter((record) => record.commandLine.includes(sidecarEntry));
}

/** Greets, by HTTP/1.1 or HTTP/2. */
const greeter = (port: number): string => `static_resources:
  listeners:
    - address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: greeter
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: hello } } }]
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
`;

/** Starts `heddle proxy`, has it answer by HTTP/2, and returns what each of its threads loaded. */
async function modulesOfRunningProxy(): Promise<readonly ModuleRecord[]> {
  await using directory = await temporaryDirectory();
  const port = await freePort();
  const bootstrap = join(directory.path, 'bootstrap.yaml');
  await writeFile(bootstrap, greeter(port));
  await using proxy = await startChild(launcher, {
    arguments: ['proxy', '--bootstrap', bootstrap, '--concurrency', '2'],
    environment: recordingEnvironment(directory.path),
  });
  await eventually('the proxy answers', async () => {
    if (proxy.exit !== null) throw new Error(`heddle proxy ended:\n${proxy.output}`);
    return (await statusByHttp2(port)) === 200;
  });
  await proxy.stop(15_000);
  return readModuleRecords(directory.path);
}

/** 0 where there is no answer. */
function statusByHttp2(port: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
  session.once('error', () => resolve(0));
  session
    .request({ ':path': '/' })
    .once('error', () => resolve(0))
    .once('response', (headers) => {
      resolve(headers[':status'] ?? 0);
      session.destroy();
    });
  return promise;
}

/** Those of Node's modules that belong to its HTTP/2, which is not what the data plane speaks. */
function http2Of(records: readonly ModuleRecord[]): string[] {
  return records
    .flatMap(({ modules, builtins }) => [...modules.filter((url) => url.startsWith('node:')), ...builtins])
    .filter((name) => name.includes('http2'));
}

describe('modules of a running proxy', () => {
  test("it speaks HTTP/2 without Node's", async () => {
    const records = await modulesOfRunningProxy();
    assert.deepEqual(new Set(records.map(({ thread }) => thread)), new Set([0, 1]));
    assert.ok(records.every(({ modules }) => modules.includes('node:net')));
    // Threads are ended without being asked for theirs.
    assert.ok(records.find(({ thread }) => thread === 0)!.builtins.includes('net'));
    assert.deepEqual(http2Of(records), []);
  });
});

describe('modules of a running sidecar', () => {
  const url = (path: string): string => pathToFileURL(join(repositoryRoot, path)).href;

  test('it has loaded nothing that it has no use for', async (t) => {
    const records = await modulesOfRunningSidecar();
    const modules = new Set(records.flatMap((record) => record.modules));
    assert.ok(modules.has(pathToFileURL(sidecarEntry).href), 'the sidecar is among the recorded processes');
    t.diagnostic(`${modules.size} modules`);
    assert.ok(records.some(({ builtins }) => builtins.includes('tls')));
    assert.deepEqual(http2Of(records), [], "it speaks HTTP/2 to the control plane without Node's");
    assert.deepEqual(
      [...modules].map(judgeSidecarModule).filter((reason) => reason !== null),
      [],
    );
  });

  test('one it has no use for, put into a running sidecar, is found', async () => {
    const records = await modulesOfRunningSidecar(url('packages/model/src/index.ts'));
    const reasons = records.flatMap(({ modules }) => modules.map(judgeSidecarModule));
    assert.ok(reasons.includes('packages/model/src/index.ts: no part of a sidecar'));
  });

  test('what a sidecar has no use for is told from what it has', () => {
    for (const useless of [
      url('packages/xds/src/server/delta-server.ts'),
      url('packages/model/src/index.ts'),
      url('packages/control-plane/src/index.ts'),
      url('node_modules/yaml/dist/index.js'),
      url('packages/xds/src/json/message-json.ts'),
      url('packages/proxy/src/http/proxy-under-test.ts'),
      'node:http2',
      'node:repl',
      'node:sqlite',
    ]) {
      assert.notEqual(judgeSidecarModule(useless), null, useless);
    }
    for (const useful of [
      url('packages/proxy/src/sidecar/main.ts'),
      url('packages/base/src/clock.ts'),
      'node:net',
    ]) {
      assert.equal(judgeSidecarModule(useful), null, useful);
    }
  });
});
