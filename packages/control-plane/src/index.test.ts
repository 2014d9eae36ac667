import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';

it('loads no database, no HTTP and no TLS with the core', () => {
  const program = `
    const { ControlPlane } = await import('@heddle/control-plane');
    console.log(typeof ControlPlane.open, process.moduleLoadList.filter((name) => /^NativeModule (sqlite|http2|tls|http)$/.test(name)).join());
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), 'function', stderr);
});
