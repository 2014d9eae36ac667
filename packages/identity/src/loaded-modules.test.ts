import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Imports the package in a process of its own and gives the addresses of all modules that this loads. */
function modulesLoadedWith(entry: string): readonly string[] {
  const program = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
    await import(${JSON.stringify(entry)});
    console.log(JSON.stringify([...urls, ...process.moduleLoadList]));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as readonly string[];
}

test('the package loads no library, no HTTP and nothing of the join client', () => {
  const modules = modulesLoadedWith(fileURLToPath(new URL('index.ts', import.meta.url)));
  assert.ok(modules.some((name) => name.endsWith('/verify-peer.ts')));
  for (const name of modules) {
    assert.doesNotMatch(name, /join-client|join-exchange|test-authority/);
    assert.doesNotMatch(name, /^NativeModule (https?|_http_\w+|internal\/http2\/\w+)$/);
    assert.doesNotMatch(name, /node_modules\/(?!@heddle)/);
  }
});
