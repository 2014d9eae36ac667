import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Child, runChild, startChild } from './child.ts';
import { eventually, freePort, isListening, waitForPort } from './ports.ts';
import { descendantsOf, memoryOf, stillRunning } from './process-table.ts';

const node = process.execPath;

test('a line is found whether it came before or after the call', async () => {
  await using child = await startChild(node, {
    arguments: ['-e', 'console.log("port 4711"); setInterval(() => {}, 1000)'],
  });
  assert.equal((await child.line(/port (\d+)/))[1], '4711');
  assert.equal((await child.line(/port (\d+)/))[1], '4711');
});

test('waiting for a line fails with the output when the process ends without it', async () => {
  await using child = new Child(node, {
    name: 'short',
    arguments: ['-e', 'console.error("sorry"); process.exit(3)'],
  });
  await assert.rejects(child.line(/never/), /short did not print .*ended with 3; it printed:\nsorry/);
  assert.deepEqual(child.exit, { code: 3, signal: null });
});

test('a command that does not exist fails with its name', async () => {
  await assert.rejects(startChild('/nonexistent/program'), /ENOENT/);
});

test('a stubborn process is killed after its grace', async () => {
  const script =
    'process.on("SIGTERM", () => console.log("no")); console.log("up"); setInterval(() => {}, 1000)';
  await using child = await startChild(node, { arguments: ['-e', script] });
  await child.line(/up/);
  assert.deepEqual(await child.stop(200), { code: null, signal: 'SIGKILL' });
  assert.match(child.stdout, /no/);
});

test('a signal for a group reaches the children too', async () => {
  const inner = 'trap "echo child; exit" INT; echo up; while :; do sleep 0.1; done';
  const script = `trap "echo parent" INT; sh -c '${inner}'; exit 5`;
  await using child = await startChild('sh', { arguments: ['-c', script], group: true });
  await child.line(/up/);
  child.kill('SIGINT');
  assert.deepEqual(await child.ended(), { code: 5, signal: null });
  assert.deepEqual(child.stdout.trim().split('\n').toSorted(), ['child', 'parent', 'up']);
});

test('children of a process are found, and gone after it is', async () => {
  const script =
    'require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]); console.log("up")';
  await using child = await startChild(node, { arguments: ['-e', script] });
  await child.line(/up/);
  await eventually('the grandchild runs', () => descendantsOf(child.pid).length === 1);
  const grandchild = descendantsOf(child.pid)[0]!;
  assert.match(grandchild.command, /setInterval/);
  assert.ok(memoryOf(grandchild.pid).private > 0);
  process.kill(grandchild.pid);
  await eventually('the grandchild is gone', () => stillRunning([grandchild.pid]).length === 0);
});

test('runChild waits for the end and gives all output', async () => {
  const child = await runChild(node, {
    arguments: ['-e', 'console.log(process.env.GREETING)'],
    environment: { GREETING: 'hello' },
  });
  assert.equal(child.stdout, 'hello\n');
  assert.equal(child.exit?.code, 0);
});

test('a free port is free, and a port that listens is seen', async () => {
  const port = await freePort();
  assert.equal(await isListening(port), false);
  const script = `require("net").createServer().listen(${port}, "127.0.0.1")`;
  await using child = await startChild(node, { arguments: ['-e', script] });
  await waitForPort(port);
  assert.equal(child.exit, null);
});
