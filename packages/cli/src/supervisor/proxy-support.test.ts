import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeHonoursProxy, proxyDeafness } from './proxy-support.ts';
import { interpreterOf } from './resolve-program.ts';

test('knows which versions of Node.js honour NODE_USE_ENV_PROXY', () => {
  for (const version of ['v22.21.0', 'v24.5.0', 'v24.21.0', 'v25.0.0', 'v26.10.0']) {
    assert.ok(nodeHonoursProxy(version), version);
  }
  for (const version of ['v18.0.0', 'v20.20.2', 'v22.20.0', 'v23.11.0', 'v24.4.1']) {
    assert.ok(!nodeHonoursProxy(version), version);
  }
});

test('judges a runtime by asking it, behind a script too', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-node-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  const old = join(directory, 'node');
  await writeFile(old, '#!/bin/sh\necho v20.20.2\n');
  const script = join(directory, 'app');
  await writeFile(script, '#!/usr/bin/env -S node --enable-source-maps\n');
  await chmod(old, 0o755);
  assert.match((await proxyDeafness(old))?.message ?? '', /Node v20\.20\.2 ignores HTTP_PROXY/);
  assert.equal(await interpreterOf(script, directory), old);
  assert.equal(await proxyDeafness(process.execPath), null);
  assert.match((await proxyDeafness('/usr/bin/java'))?.hint ?? '', /-Dhttp\.proxyPort=\{\{proxy-port\}\}/);
  assert.equal(await proxyDeafness('/usr/bin/python3'), null);
});
