import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { isProcessAlive } from '../process-alive.ts';
import { delay } from './delay.ts';
import { testWorkload } from './testing/test-workload.ts';
import { runWorkload } from './run-workload.ts';
import type { WorkloadContext, WorkloadOptions } from './workload-options.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`testing/${name}`, import.meta.url));
const app = fixture('app.js');

/** Waits for something that another process does, for at most five seconds if nothing else is said. */
async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const endAt = systemClock.monotonic() + limitMs;
  while (!(await holds())) {
    assert.ok(systemClock.monotonic() < endAt, `within ${limitMs} ms: ${what}`);
    // A referenced timer: the test itself waits.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
async function isRunning(pid: number): Promise<boolean> {
  if (!isProcessAlive(pid)) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' ? process.platform !== 'linux' : !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}

interface Running {
  readonly lines: string[];
  readonly sentences: string[];
  readonly stop: AbortController;
  readonly force: AbortController;
  readonly exitCode: Promise<number>;
}

describe('runWorkload', () => {
  let store = '';
  before(async () => {
    store = await mkdtemp(join(tmpdir(), 'heddle-run-'));
  });
  after(async () => {
    await rm(store, { recursive: true, force: true });
  });

  function start(
    command: readonly string[],
    changes: Partial<WorkloadOptions> = {},
    context: Partial<WorkloadContext> = {},
  ): Running {
    const lines: string[] = [];
    const sentences: string[] = [];
    const stop = new AbortController();
    const force = new AbortController();
    const exitCode = runWorkload(testWorkload(store, command, changes), {
      signal: stop.signal,
      force: force.signal,
      sidecarEntry: fixture('fake-sidecar.ts'),
      output: {
        application: (line) => lines.push(line),
        info: (message) => sentences.push(message),
        warning: (message, hint) => sentences.push(`warning: ${message} (${hint ?? ''})`),
      },
      ...context,
    });
    // A test that fails elsewhere must not fail a second time here.
    exitCode.catch(() => undefined);
    return { lines, sentences, stop, force, exitCode };
  }

  const published = (running: Running): boolean =>
    running.sentences.some((line) => line.includes('is published'));
  const fakeLog = async (): Promise<string> =>
    await readFile(join(store, 'sidecars', 'fake.log'), 'utf8').catch(() => '');
  const newLog = async (): Promise<void> => await rm(join(store, 'sidecars', 'fake.log'), { force: true });

  it('withdraws, drains, ends the application and then the sidecar, and passes the exit code on', async () => {
    await newLog();
    const running = start([process.execPath, app, '7']);
    await until('published', () => published(running));
    running.stop.abort('SIGTERM');
    assert.equal(await running.exitCode, 7);
    assert.ok(running.lines.includes('got SIGTERM'));
    assert.doesNotMatch(running.sentences.join('\n'), /ended/, 'it was asked to');
    const log = (await fakeLog()).split('\n').slice(1, -1);
    assert.deepEqual(log, ['app-started', 'withdraw', 'drain', 'stop']);
    const left = (await readdir(join(store, 'sidecars'))).filter((name) => name !== 'fake.log');
    assert.deepEqual(left, [], 'the directory with the key is removed');
  });

  it('withdraws and passes the exit code on when the application ends by itself', async () => {
    await newLog();
    const command = `${process.execPath} ${app} & sleep 0.5; kill -9 $!; exit 9`;
    const running = start(['/bin/sh', '-c', command]);
    assert.equal(await running.exitCode, 9);
    assert.match(await fakeLog(), /withdraw\ndrain\nstop\n$/);
    assert.match(running.sentences.join('\n'), /^warning: the application ended \(exit code 9\) \(\)$/m);
  });

  it('reports 128 + n when signal n ended the application', async () => {
    const running = start(['/bin/sh', '-c', 'kill -SEGV $$']);
    assert.equal(await running.exitCode, 139);
    assert.match(running.sentences.join('\n'), /the application ended \(SIGSEGV\) before it accepted/);
  });

  it('says that the application ended before anybody could reach it, and nothing of a job that is done', async () => {
    const early = start(['/bin/sh', '-c', 'exit 7']);
    assert.equal(await early.exitCode, 7);
    assert.match(
      early.sentences.join('\n'),
      /^warning: the application ended \(exit code 7\) before it accepted connections on port \d+ \(\)$/,
    );
    const job = start(['true'], { port: 0 });
    assert.equal(await job.exitCode, 0);
    assert.deepEqual(job.sentences, []);
  });

  it('kills an application that ignores SIGTERM for longer than the stop timeout', async () => {
    const running = start(['/bin/sh', '-c', "trap '' TERM; echo up; while :; do sleep 0.1; done"], {
      stopTimeoutMs: 300,
    });
    await until('the application is up', () => running.lines.includes('up'));
    running.stop.abort('SIGTERM');
    assert.equal(await running.exitCode, 137);
    assert.match(running.sentences.join(), /did not end within 0\.3 s of SIGTERM/);
  });

  it('ends everything at once when forced', async () => {
    const running = start(['/bin/sh', '-c', "trap '' TERM; echo up; while :; do sleep 0.1; done"]);
    await until('the application is up', () => running.lines.includes('up'));
    running.stop.abort('SIGINT');
    running.force.abort('SIGINT');
    const startedAt = systemClock.monotonic();
    assert.equal(await running.exitCode, 130);
    assert.ok(systemClock.monotonic() - startedAt < 3_000);
  });

  it('kills what is left of the group at once when the application itself has ended', async () => {
    const child = "(trap '' TERM; while :; do sleep 0.1; done)";
    const running = start(['/bin/sh', '-c', `${child} & echo $!; sleep 0.2`]);
    assert.equal(await running.exitCode, 0);
    const left = Number(running.lines[0]);
    // Sooner than the guard, which waits two seconds, would do it.
    await until('the child it left is gone', async () => !(await isRunning(left)), 1_000);
  });

  it('starts a killed sidecar again on the same ports while the application goes on', async () => {
    await newLog();
    const running = start([process.execPath, app]);
    await until('published', () => published(running));
    const options = async (): Promise<string> => {
      const instance = (await readdir(join(store, 'sidecars'))).find((name) => name !== 'fake.log') ?? '';
      return await readFile(join(store, 'sidecars', instance, 'options.json'), 'utf8');
    };
    const ports = await options();
    process.kill(Number(/^start (\d+)/.exec(await fakeLog())?.[1]), 'SIGKILL');
    await until('a second sidecar is told of the application', async () =>
      /^start \d+\napp-started\nstart \d+\napp-started\n/.test(await fakeLog()),
    );
    assert.match(running.sentences.join('\n'), /the sidecar ended \(SIGKILL\); it is being started again/);
    assert.equal(await options(), ports);
    running.stop.abort('SIGTERM');
    assert.equal(await running.exitCode, 0);
    assert.ok(running.lines.includes('got SIGTERM'));
  });

  describe('asked to replace the sidecar', () => {
    /** A running workload and what asks for a new sidecar. */
    function startUpgradable(join: string, command = [process.execPath, app]): Running & { upgrade(): void } {
      const listeners = new Set<() => void>();
      const onUpgradeRequest = (listener: () => void): (() => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      };
      const running = start(command, { join }, { onUpgradeRequest });
      const upgrade = (): void => {
        assert.equal(listeners.size, 1);
        for (const listener of listeners) listener();
      };
      return { ...running, upgrade };
    }
    const pids = async (): Promise<number[]> =>
      [...(await fakeLog()).matchAll(/^start (\d+)/gm)].map(([, pid]) => Number(pid));
    /** Who accepts a connection to the socket that the first sidecar has opened. */
    async function acceptor(): Promise<number> {
      const port = Number(/^listens .*"port":(\d+)/m.exec(await fakeLog())?.[1]);
      const socket = connect(port, '127.0.0.1').setEncoding('utf8');
      return Number((await socket.toArray()).join(''));
    }

    it('starts one with the sockets of the old one, publishes it, and lets the old one depart', async () => {
      await newLog();
      const running = startUpgradable('listens:1');
      await until('published', () => published(running));
      const application = running.lines.length;
      running.upgrade();
      await until('the next one is told of the application', async () =>
        /^app-started$[^]*^app-started$/m.test(await fakeLog()),
      );
      const [old = 0, next = 0] = await pids();
      await until('the old one has ended', async () => !(await isRunning(old)));
      assert.equal(await acceptor(), next);
      const log = await fakeLog();
      assert.match(log, /^start \d+ with \["one"\]$/m);
      assert.match(log, /hand-over\nstart [^]*\ndepart\n/, 'the old one goes when the next one serves');
      assert.deepEqual(running.sentences.slice(1), [
        'a new sidecar serves; the old one ends as soon as its connections have ended',
      ]);
      assert.equal(running.lines.length, application, 'the application goes on');

      process.kill(next, 'SIGKILL');
      await until('a third one serves', () => running.sentences.includes('the sidecar serves again'));
      running.stop.abort('SIGTERM');
      assert.equal(await running.exitCode, 0);
      assert.match(await fakeLog(), /withdraw\ndrain\nstop\n$/);
    });

    it('keeps the old one where the next one cannot start', async () => {
      await newLog();
      const running = startUpgradable('barren:1');
      await until('published', () => published(running));
      running.upgrade();
      await until('a warning', () => running.sentences.some((line) => line.startsWith('warning')));
      assert.match(
        running.sentences.at(-1)!,
        /the sidecar is not replaced: the sidecar ended before it was ready \(exit code 3\)/,
      );
      assert.equal(await acceptor(), (await pids())[0]);
      running.stop.abort('SIGTERM');
      assert.equal(await running.exitCode, 0);
      assert.match(await fakeLog(), /hand-over\n[^]*stay\nwithdraw\ndrain\nstop\n$/);
    });

    it('starts one anew where the old one is killed while it hands over', async () => {
      await newLog();
      const running = startUpgradable('keeps:1');
      await until('published', () => published(running));
      running.upgrade();
      await until('it is asked', async () => (await fakeLog()).includes('hand-over'));
      running.upgrade();
      process.kill((await pids())[0]!, 'SIGKILL');
      await until('it serves again', () => running.sentences.includes('the sidecar serves again'));
      assert.deepEqual(running.sentences.slice(1, -1), [
        'warning: the sidecar is not replaced: it is being replaced already ()',
        'warning: the sidecar is not replaced: the old one did not hand its sockets over ()',
        'warning: the sidecar ended (SIGKILL); it is being started again ()',
      ]);
      running.stop.abort('SIGTERM');
      assert.equal(await running.exitCode, 0);
    });

    it('drains and ends the old one too when the workload ends', async () => {
      await newLog();
      const running = startUpgradable('lingers:1');
      await until('published', () => published(running));
      running.upgrade();
      await until('it departs', async () => (await fakeLog()).includes('depart'));
      const [old = 0] = await pids();
      assert.ok(await isRunning(old), 'it has connections yet');
      running.stop.abort('SIGTERM');
      assert.equal(await running.exitCode, 0);
      for (const pid of await pids()) assert.ok(!(await isRunning(pid)), String(pid));
      assert.match(await fakeLog(), /withdraw\ndrain\ndrain\nstop\nstop\n$/);
    });
  });

  it('tells the application its port, the proxy and its upstreams', async () => {
    const print = 'console.log(JSON.stringify([process.env, process.argv.slice(1)]))';
    const running = start(
      [process.execPath, '-e', print, 'p={{port}}', 'http://{{ratings}}/x', '{{{{unknown}}}}', '{{proxy}}'],
      { upstreams: [{ name: 'ratings', host: 'ratings.default.svc.cluster.local', port: 9080 }], port: 0 },
      { environment: { ...process.env, HEDDLE_TOKEN: 'secret', NO_PROXY: 'corp.example' } },
    );
    assert.equal(await running.exitCode, 0);
    const [environment, arguments_] = JSON.parse(running.lines[0]!) as [Record<string, string>, string[]];
    assert.equal(arguments_[0], `p=${environment['PORT']}`);
    assert.equal(arguments_[1], `${environment['RATINGS_URL']}/x`);
    assert.equal(arguments_[2], '{{unknown}}');
    assert.equal(`http://${arguments_[3]}`, environment['HTTP_PROXY']);
    assert.equal(environment['http_proxy'], environment['HTTP_PROXY']);
    assert.equal(environment['NODE_USE_ENV_PROXY'], '1');
    assert.equal(environment['NO_PROXY'], 'corp.example,localhost,127.0.0.1,::1');
    assert.equal(environment['HEDDLE_TOKEN'], undefined);
    const numbers = ['PORT', 'RATINGS_URL', 'HTTP_PROXY'].map((name) =>
      Number(/\d+$/.exec(environment[name]!)?.[0]),
    );
    for (const port of numbers) assert.ok(port >= 20_000 && port < 32_768, String(port));
  });

  it(
    'warns of an application that others can reach past its sidecar',
    { skip: process.platform !== 'linux' },
    async () => {
      const running = start(
        [process.execPath, app],
        {},
        { environment: { ...process.env, TEST_HOST: '0.0.0.0' } },
      );
      await until('a warning', () => running.sentences.some((line) => line.includes('past its sidecar')));
      running.stop.abort('SIGTERM');
      await running.exitCode;
      assert.match(running.sentences.join('\n'), /listens on 0\.0\.0\.0:\d+, so others could reach it/);
    },
  );

  it('refuses a program that does not exist with 127 and one that is not executable with 126', async () => {
    const refusal = async (command: readonly string[]): Promise<CliError> => {
      const error: unknown = await start(command).exitCode.catch((reason: unknown) => reason);
      assert.ok(error instanceof CliError);
      return error;
    };
    assert.equal((await refusal(['nodee'])).exitCode, 127);
    assert.match((await refusal(['nodee'])).hint, /did you mean 'node'/);
    const file = join(store, 'script');
    await writeFile(file, '#!/bin/sh\n');
    assert.equal((await refusal([file])).exitCode, 126);
    await chmod(file, 0o755);
    assert.equal(await start([file]).exitCode, 0);
    assert.equal((await refusal([store])).exitCode, 126);
  });

  it('says why the sidecar could not start, and starts no application', async () => {
    const file = join(store, 'started');
    const running = start(['/usr/bin/touch', file], { join: 'fails:1' });
    await assert.rejects(running.exitCode, { code: 'HEDDLE_CONTROL_PLANE_UNREACHABLE', exitCode: 125 });
    await assert.rejects(start(['/usr/bin/touch', file], { join: 'crashes:1' }).exitCode, {
      code: 'HEDDLE_SIDECAR_FAILED',
      message: /exit code 3/,
    });
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  });

  it('says that there is no control plane where the store does not exist', async () => {
    await assert.rejects(start(['true'], { join: null, store: join(store, 'none') }).exitCode, {
      code: 'HEDDLE_CONTROL_PLANE_UNREACHABLE',
      exitCode: 125,
    });
  });

  describe('killed with kill -9', () => {
    /** A supervisor in a process of its own, with an application that ignores SIGTERM and has a child. */
    async function supervise(): Promise<{ supervisor: ChildProcess; processes: number[] }> {
      await newLog();
      const command = "trap '' TERM; sleep 1000 & echo pids $$ $!; while :; do sleep 0.1; done";
      const supervisor = spawn(process.execPath, [fixture('supervise.ts'), store, '/bin/sh', '-c', command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface({ input: supervisor.stdout })) {
        const [, first, second] = /^pids (\d+) (\d+)$/.exec(line) ?? [];
        if (first !== undefined) return { supervisor, processes: [Number(first), Number(second)] };
      }
      throw new Error('the application did not start');
    }
    const sidecarPid = async (): Promise<number> => Number(/start (\d+)/.exec(await fakeLog())?.[1]);

    it('leaves no application and no sidecar for longer than five seconds', async () => {
      const { supervisor, processes } = await supervise();
      const sidecar = await sidecarPid();
      supervisor.kill('SIGKILL');
      await once(supervisor, 'exit');
      for (const pid of [...processes, sidecar]) {
        await until(`process ${pid} is gone`, async () => !(await isRunning(pid)));
      }
    });

    it('leaves nothing when the sidecar is killed at the same moment', async () => {
      const { supervisor, processes } = await supervise();
      process.kill(await sidecarPid(), 'SIGKILL');
      supervisor.kill('SIGKILL');
      for (const pid of processes) await until(`process ${pid} is gone`, async () => !(await isRunning(pid)));
    });
  });

  it('does not keep the event loop busy after the end', async () => {
    await start(['true']).exitCode;
    await delay(systemClock, 0);
    const sockets = process
      .getActiveResourcesInfo()
      .filter((name) => name === 'UDPWrap' || name === 'ProcessWrap');
    assert.deepEqual(sockets, []);
  });
});
