import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@heddle/testkit';
import { startSuccessor } from './successor.ts';

test('a process that cannot even be started is a reason to go on', async (t) => {
  t.after(() => delete process.env['HEDDLE_LAUNCHER']);
  process.env['HEDDLE_LAUNCHER'] = '/bin/false';
  // No such descriptor: the system refuses before there is a process, and Node throws.
  const sockets = [{ address: '127.0.0.1:80', descriptor: 1_000_000_000 }];
  assert.match((await startSuccessor({ epoch: 1, sockets })) ?? '', /EBADF/);
});

test('a socket that has just been closed is not passed on', async (t) => {
  await using directory = await temporaryDirectory();
  const launcher = join(directory.path, 'launcher');
  const script = '#!/bin/sh\ncase "$HEDDLE_SUCCESSION" in *closed*) exit 3;; *open*) exit 4;; esac\n';
  await writeFile(launcher, script, { mode: 0o755 });
  t.after(() => delete process.env['HEDDLE_LAUNCHER']);
  process.env['HEDDLE_LAUNCHER'] = launcher;
  const sockets = [
    { address: 'closed', descriptor: -1 },
    { address: 'open', descriptor: 0 },
  ];
  assert.equal(await startSuccessor({ epoch: 1, sockets }), 'it ended with exit code 4');
});
