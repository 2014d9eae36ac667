import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { HeddleError, silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { LogFile } from './log-file.ts';
import { LogFiles } from './log-files.ts';

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-log-'));
  context.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('writes lines in order, a second after the first at the latest', async (context) => {
  const path = join(temporaryDirectory(context), 'access.log');
  const clock = new VirtualClock();
  const file = new LogFile(path, clock, silentLogger);
  file.write('one\n');
  file.write('two\n');
  assert.equal(readFileSync(path, 'utf8'), '');
  clock.advance(1000);
  await file.close();
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
  assert.equal(clock.pendingTimers, 0);
});

test('writes 64 KiB without waiting for the second', async (context) => {
  const path = join(temporaryDirectory(context), 'access.log');
  const clock = new VirtualClock();
  const file = new LogFile(path, clock, silentLogger);
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 64; i++) file.write(line);
  assert.equal(clock.pendingTimers, 0);
  await file.close();
  assert.equal(statSync(path).size, 64 * 1024);
});

test('closing writes what is left, and only the group may read beside the owner', async (context) => {
  const path = join(temporaryDirectory(context), 'access.log');
  const file = new LogFile(path, new VirtualClock(), silentLogger);
  file.write('é\n');
  await file.close();
  file.write('late\n');
  assert.equal(readFileSync(path, 'utf8'), 'é\n');
  assert.equal(statSync(path).mode & 0o007, 0);
  assert.equal(file.droppedLines, 1);
});

test('after a rename and reopen new lines go to a new file, and none is lost', async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, 'access.log');
  const clock = new VirtualClock();
  const files = new LogFiles(clock, silentLogger);
  const file = files.acquire(path);
  file.write('before\n');
  clock.advance(1000);
  while (readFileSync(path, 'utf8') === '') await setImmediate();
  renameSync(path, join(directory, 'access.log.1'));
  files.reopen();
  file.write('after\n');
  await files.close();
  assert.equal(readFileSync(join(directory, 'access.log.1'), 'utf8'), 'before\n');
  assert.equal(readFileSync(path, 'utf8'), 'after\n');
});

test('drops and counts what exceeds 4 MiB in memory', async (context) => {
  const path = join(temporaryDirectory(context), 'access.log');
  const file = new LogFile(path, new VirtualClock(), silentLogger);
  const line = `${'x'.repeat(65_535)}\n`;
  // The first goes out at once and is in flight; 64 more fill the memory.
  for (let i = 0; i < 70; i++) file.write(line);
  await file.close();
  assert.equal(file.droppedLines, 5);
  assert.equal(statSync(path).size, 65 * 65_536);
});

test('a path that cannot be opened is an error with the path in it', (context) => {
  const path = join(temporaryDirectory(context), 'missing', 'access.log');
  assert.throws(
    () => new LogFile(path, new VirtualClock(), silentLogger),
    (error) =>
      error instanceof HeddleError && error.code === 'HEDDLE_ACCESS_LOG_OPEN' && error.message.includes(path),
  );
});

test('one file per path, closed by its last user', async (context) => {
  const path = join(temporaryDirectory(context), 'access.log');
  const files = new LogFiles(new VirtualClock(), silentLogger);
  const first = files.acquire(path);
  assert.equal(files.acquire(path), first);
  await files.release(first);
  first.write('still open\n');
  await files.release(first);
  assert.equal(readFileSync(path, 'utf8'), 'still open\n');
  assert.notEqual(files.acquire(path), first);
  await files.close();
});

test('writes to standard output where that is asked for', async () => {
  const program = `
    const { LogFile } = await import(${JSON.stringify(new URL('log-file.ts', import.meta.url).href)});
    const { silentLogger, systemClock } = await import(${JSON.stringify(import.meta.resolve('@heddle/base'))});
    const file = new LogFile('/dev/stdout', systemClock, silentLogger);
    for (let i = 0; i < 4000; i++) file.write('x'.repeat(99) + '\\n');
    await file.close();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => (size += chunk.length));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  assert.equal(size, 400_000);
});

test('lines of several threads arrive whole in one pipe, however slowly it is read', async () => {
  const thread = `
    import { parentPort, workerData } from 'node:worker_threads';
    parentPort.on('message', () => undefined);
    const { LogFile } = await import(${JSON.stringify(new URL('log-file.ts', import.meta.url).href)});
    const { silentLogger, systemClock } = await import(${JSON.stringify(import.meta.resolve('@heddle/base'))});
    const file = new LogFile('/dev/stdout', systemClock, silentLogger);
    for (let i = 0; i < 4000; i++) file.write(workerData.repeat(99) + '\\n');
    await file.close();
    parentPort.close();
  `;
  const program = `
    import { Worker } from 'node:worker_threads';
    for (const workerData of ['a', 'b', 'c']) new Worker(${JSON.stringify(thread)}, { eval: true, workerData });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const lines = text.split('\n').slice(0, -1);
  assert.equal(lines.length, 12_000);
  assert.deepEqual(
    lines.filter((line) => !/^(?:a{99}|b{99}|c{99})$/.test(line)),
    [],
  );
});
