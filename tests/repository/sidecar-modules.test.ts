import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
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

describe('modules of a running sidecar', () => {
  const url = (path: string): string => pathToFileURL(join(repositoryRoot, path)).href;

  test('it has loaded nothing that it has no use for', async (t) => {
    const records = await modulesOfRunningSidecar();
    const modules = new Set(records.flatMap((record) => record.modules));
    assert.ok(modules.has(pathToFileURL(sidecarEntry).href), 'the sidecar is among the recorded processes');
    t.diagnostic(`${modules.size} modules`);
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
