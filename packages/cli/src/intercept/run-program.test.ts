import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustRun, runSystemProgram } from './run-program.ts';

test('feeds a program and reads what it says', async () => {
  assert.deepEqual(await runSystemProgram('sh', ['-c', 'cat; echo no >&2; exit 3'], 'yes\n'), {
    exitCode: 3,
    stdout: 'yes\n',
    stderr: 'no\n',
  });
});

test('says which program is not installed and where it comes from', async () => {
  assert.equal(await runSystemProgram('heddle-no-such-program', []), null);
  const run = () => Promise.resolve(null);
  await assert.rejects(mustRun(run, 'nft', []), {
    code: 'HEDDLE_INTERCEPT_NO_PROGRAM',
    message: 'nft is not installed',
    hint: 'install it (Debian: apt-get install nftables)',
  });
  await assert.rejects(mustRun(run, 'ip6tables-restore', []), { hint: /install iptables\)$/ });
});

test('passes on why a program has failed', async () => {
  const run = () => Promise.resolve({ exitCode: 4, stdout: '', stderr: 'line 3 failed\n' });
  await assert.rejects(mustRun(run, 'iptables-restore', []), {
    code: 'HEDDLE_INTERCEPT_FAILED',
    message: 'iptables-restore failed: line 3 failed',
  });
});
