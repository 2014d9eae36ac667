import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../supervisor/resolve-program.ts';

const services = [
  ['details.js', '/details/0'],
  ['details.py', '/details/0'],
  ['ratings.js', '/ratings/0'],
  ['reviews.js', '/reviews/0'],
  ['productpage.js', '/health'],
] as const;

for (const [file, path] of services) {
  test(`the bookstore's ${file} answers whatever the query is`, async (t) => {
    const python = await findProgram('python3', process.env['PATH'] ?? '');
    const program = file.endsWith('.py') ? python : process.execPath;
    if (program === undefined) return t.skip('python3 is not installed');
    const script = fileURLToPath(new URL(`../../../../examples/bookinfo/${file}`, import.meta.url));
    const child = spawn(program, [script], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const origin = `http://${line.split(' ').at(-1)}`;
    for (const query of ['', '?a=3', '?a=/details/1']) {
      const response = await fetch(origin + path + query);
      await response.text();
      assert.equal(response.status, 200, query);
    }
    const other = await fetch(`${origin}/elsewhere?a=${path}`);
    await other.text();
    assert.equal(other.status, 404);
  });
}
