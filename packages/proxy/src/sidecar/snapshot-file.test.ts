import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger, systemClock } from '@heddle/base';
import { VirtualClock, eventually, temporaryDirectory } from '@heddle/testkit';
import type { ConfigurationSnapshot } from '@heddle/xds/snapshot';
import { SnapshotFile } from './snapshot-file.ts';

const logger = createLogger({ level: 'off' });
const snapshot = (version: string): ConfigurationSnapshot =>
  new Map([['type', [{ name: 'one', version, bytes: new Uint8Array([1]) }]]]);
const versions = async (path: string): Promise<string | undefined> =>
  (await new SnapshotFile(path, systemClock, logger).load())?.get('type')?.[0]?.version;

test('several changes are one write, of what holds then', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'snapshot');
  const clock = new VirtualClock();
  const file = new SnapshotFile(path, clock, logger);
  assert.equal(await file.load(), null);
  let asked = 0;
  let version = '1';
  const current = (): ConfigurationSnapshot => {
    asked++;
    return snapshot(version);
  };
  file.changed(current);
  version = '2';
  file.changed(current);
  clock.advance(300);
  await eventually('it is written', async () => (await versions(path)) === '2');
  assert.equal(asked, 1);
  await file.close();
});

test('what waits to be written is written at once when somebody is to read it', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'snapshot');
  const clock = new VirtualClock();
  const file = new SnapshotFile(path, clock, logger);
  file.changed(() => snapshot('1'));
  await file.flush();
  assert.equal(await versions(path), '1');
  const before = await readFile(path);
  await file.flush();
  clock.advance(1_000);
  assert.deepEqual(await readFile(path), before);
});

test('a closed one writes no more: the file is another process’s', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'snapshot');
  const clock = new VirtualClock();
  const file = new SnapshotFile(path, clock, logger);
  file.changed(() => snapshot('1'));
  await file.close();
  file.changed(() => snapshot('2'));
  clock.advance(1_000);
  await file.flush();
  assert.equal(await versions(path), undefined);
});
