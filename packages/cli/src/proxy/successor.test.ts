import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSuccessor } from './successor.ts';

test('a process that cannot even be started is a reason to go on', async (t) => {
  t.after(() => delete process.env['HEDDLE_LAUNCHER']);
  process.env['HEDDLE_LAUNCHER'] = '/bin/false';
  // No such descriptor: the system refuses before there is a process, and Node throws.
  const sockets = [{ address: '127.0.0.1:80', descriptor: 1_000_000_000 }];
  assert.match((await startSuccessor({ epoch: 1, sockets })) ?? '', /EBADF/);
});
