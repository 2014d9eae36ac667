import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startChild } from '@heddle/testkit';
import { isProcessAlive } from './process-alive.ts';

test('a process that runs is alive, one that has ended is not', async () => {
  assert.equal(isProcessAlive(process.pid), true);
  const child = spawn('true');
  await once(child, 'close');
  assert.equal(isProcessAlive(child.pid!), false);
});

test(
  'one that has ended and that its parent does not wait for is not alive',
  {
    skip: process.platform === 'linux' ? false : 'only Linux tells',
  },
  async () => {
    // The shell becomes a program that waits for nobody, after its child has ended.
    const script =
      'sh -c "exit 0" & echo "child $!"; wait_for=$!; while [ -d /proc/$wait_for/fd ] && [ -n "$(ls /proc/$wait_for/fd)" ]; do :; done; echo ended; exec sleep 60';
    await using parent = await startChild('sh', { arguments: ['-c', script] });
    const [, pid] = await parent.line(/^child (\d+)$/);
    await parent.line(/^ended$/);
    assert.equal(isProcessAlive(Number(pid)), false);
  },
);
