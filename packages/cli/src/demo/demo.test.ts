import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Processes that run with this directory as their own or in their arguments; zombies have neither. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') +
          readFileSync(`/proc/${pid}/environ`, 'utf8')
        );
      } catch {
        return '';
      }
    })
    .filter((text) => text.includes(directory))
    .map((text) => text.slice(0, 200));
}

async function untilNone(directory: string): Promise<void> {
  const endAt = performance.now() + 5_000;
  while (processesIn(directory).length > 0) {
    assert.ok(performance.now() < endAt, `still there after 5 s: ${processesIn(directory).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readUrl(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(url, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    response.on('end', () => resolve(body));
  }).once('error', reject);
  return await promise;
}

describe('heddle demo', { skip: process.platform !== 'linux' }, () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'heddle-demo-'));
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Starts a demo and reads along until it says how to end it. */
  async function start(
    ...flags: string[]
  ): Promise<{ demo: ChildProcess; text: string; ended: Promise<unknown[]> }> {
    const demo = spawn(process.execPath, [program, 'demo', ...flags], {
      cwd: directory,
      // The mark by which the demo's processes are found: children inherit it.
      env: { ...process.env, HEDDLE_DEMO_TEST: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(demo, 'close');
    let text = '';
    demo.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const lines = createInterface({ input: demo.stdout });
    for await (const line of lines) {
      text += `${line}\n`;
      if (line.includes('Ctrl-C ends everything')) break;
    }
    return { demo, text, ended };
  }

  it('brings up the whole bookstore, ends by itself with exit code 0 and leaves no process', async () => {
    const { text, ended } = await start('--duration', '1s');
    const pageUrl = /Page {7}(http:\S+)/.exec(text)?.[1];
    assert.ok(pageUrl !== undefined, text);
    assert.match(text, /Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/#token=hdd_\S+\n/);
    assert.equal(text.match(/^ {2}\S*heddle (?:get|apply) .*$/gm)?.length, 3, text);
    assert.match(await readUrl(pageUrl), /Silas Marner.*reviews v[123]/s);
    assert.deepEqual(await ended, [0, null]);
    await untilNone(directory);
  });

  it('leaves nothing for longer than five seconds when it is killed with kill -9', async () => {
    const { demo, ended } = await start();
    assert.ok(processesIn(directory).length > 12);
    demo.kill('SIGKILL');
    await ended;
    await untilNone(directory);
  });
});
