// Whatever is killed with `kill -9`: nobody is sent to what is gone, and nothing is left running.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@heddle/testkit';
import { claimDefaultPorts } from './support/default-ports.ts';
import { describeLoad, Load } from './support/load.ts';
import { listeningPortsOf, portsInUse, processesWithMark } from './support/marked-processes.ts';
import { Mesh } from './support/mesh.ts';
import { bookstore, Sandbox } from './support/sandbox.ts';

const ratingsCommand = [process.execPath, bookstore('ratings.js')];
/** How soon everything must be as if what was killed had never been. */
const limitMs = 5_000;

/** Milliseconds until `condition` holds; fails after the limit. */
async function within(what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
  const started = performance.now();
  await eventually(what, condition, limitMs);
  return performance.now() - started;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

test('a sidecar and its supervisor killed at once leave no stale endpoint for longer than 5 s', async (t) => {
  await using mesh = await Mesh.start();
  const [client, , doomed] = await Promise.all([
    mesh.client(['ratings:9080']),
    mesh.publish('ratings', ratingsCommand),
    mesh.publish('ratings', ratingsCommand),
  ]);
  await mesh.synced(3);
  const gone = await doomed.instance();
  await using load = new Load({ url: `${client.url('ratings')}/ratings/0` }, 100);
  await load.more(100);

  const killedAt = performance.now();
  process.kill(doomed.sidecarPid(), 'SIGKILL');
  doomed.run.kill('SIGKILL');
  const tookMs = await within('the endpoint is withdrawn', async () =>
    (await mesh.endpoints()).every(({ instance }) => instance !== gone),
  );
  await mesh.synced(2);
  await load.more(100);
  const report = await load.stop();
  const lastFailureMs = Math.max(0, ...report.failures.map(({ atMs }) => atMs - killedAt));
  t.diagnostic(`withdrawn after ${seconds(tookMs)}; the last request failed after ${seconds(lastFailureMs)}`);
  t.diagnostic(describeLoad(report));
  assert.ok(lastFailureMs < limitMs);
});

test('a sidecar killed alone is started again by its supervisor and serves its instance again', async (t) => {
  await using mesh = await Mesh.start();
  const [client, ratings] = await Promise.all([
    mesh.client(['ratings:9080']),
    mesh.publish('ratings', ratingsCommand),
  ]);
  await mesh.synced(2);
  await using load = new Load({ url: `${client.url('ratings')}/ratings/0` }, 100);
  await load.more(100);
  const killedAt = performance.now();
  process.kill(ratings.sidecarPid(), 'SIGKILL');
  await ratings.run.line(/^heddle: the sidecar serves again/);
  await mesh.synced(2);
  await eventually('the instance is ready', async () => (await mesh.endpoints())[0]?.state === 'ready');
  await load.more(100);
  const report = await load.stop();
  const lastFailureMs = Math.max(0, ...report.failures.map(({ atMs }) => atMs - killedAt));
  t.diagnostic(`the last request failed after ${seconds(lastFailureMs)}; ${describeLoad(report)}`);
  assert.ok(lastFailureMs < limitMs);
  assert.equal((await mesh.endpoints()).length, 1);
});

test('`heddle run` killed: its sidecar and its application are gone within 5 s, their ports free', async (t) => {
  await using mesh = await Mesh.start();
  const before = new Set(processesWithMark(mesh.mark).map(({ pid }) => pid));
  const workload = await mesh.publish('ratings', ratingsCommand);
  const started = processesWithMark(mesh.mark).filter(({ pid }) => !before.has(pid));
  const ports = listeningPortsOf(started);
  assert.ok(started.length >= 3, 'supervisor, sidecar and application run');
  assert.ok(ports.length >= 3, 'inbound, outbound and application listen');

  workload.run.kill('SIGKILL');
  const pids = new Set(started.map(({ pid }) => pid));
  const tookMs = await within('nothing of it runs', () =>
    processesWithMark(mesh.mark).every(({ pid }) => !pids.has(pid)),
  );
  assert.deepEqual(portsInUse(ports), []);
  await within('its endpoint is gone', async () => (await mesh.endpoints()).length === 0);
  t.diagnostic(`${started.length} processes and ${ports.length} ports gone after ${seconds(tookMs)}`);
});

test('an application that ignores SIGTERM is gone too when `heddle run` is killed', async () => {
  await using mesh = await Mesh.start();
  const script = `process.on('SIGTERM', () => console.log('no'));
    require('node:http').createServer().listen(process.env.PORT, '127.0.0.1')`;
  const workload = await mesh.publish('stubborn', [process.execPath, '-e', script]);
  workload.run.kill('SIGKILL');
  await within('only the control plane runs', () => processesWithMark(mesh.mark).length === 1);
});

/** Starts `heddle demo` in an empty directory; resolves when it is up. */
async function startDemo(sandbox: Sandbox, flags: readonly string[] = []) {
  const child = sandbox.startHeddle(['demo', ...flags]);
  const [, elapsed] = await child.line(/^Everything answers after ([\d.]+ ?m?s)/, 30_000);
  const processes = processesWithMark(sandbox.mark);
  const ports = listeningPortsOf(processes);
  // A control plane, six instances of an application and a sidecar each, and the demo itself.
  assert.ok(processes.length >= 14, `${processes.length} processes`);
  assert.ok(ports.length >= 20, `${ports.length} ports`);
  return { child, ports, elapsed, count: processes.length };
}

test('`heddle demo` killed: no process and no port is left after 5 s', async (t) => {
  await using _ports = await claimDefaultPorts();
  await using sandbox = await Sandbox.create();
  const { child, ports, elapsed, count } = await startDemo(sandbox);
  child.kill('SIGKILL');
  const tookMs = await within('nothing of it runs', () => processesWithMark(sandbox.mark).length === 0);
  assert.deepEqual(portsInUse(ports), []);
  t.diagnostic(
    `up after ${elapsed}; ${count} processes, ${ports.length} ports gone after ${seconds(tookMs)}`,
  );
});

test('`heddle demo` ends cleanly on Ctrl-C', async (t) => {
  await using _ports = await claimDefaultPorts();
  await using sandbox = await Sandbox.create();
  const { child, ports, elapsed } = await startDemo(sandbox);
  const started = performance.now();
  // At a terminal the signal goes to the whole foreground process group, of which the demo is the only member.
  child.kill('SIGINT');
  assert.deepEqual(await child.ended(), { code: 0, signal: null }, child.output);
  t.diagnostic(`up after ${elapsed}; ended after ${seconds(performance.now() - started)}`);
  assert.deepEqual(processesWithMark(sandbox.mark), []);
  assert.deepEqual(portsInUse(ports), []);
  assert.match(child.stdout, /nothing is left running/);
  assert.doesNotMatch(child.output, /warning|error/i);
});

test('`heddle demo --duration 2s` shows the bookstore and ends by itself with exit code 0', async (t) => {
  await using _ports = await claimDefaultPorts();
  await using sandbox = await Sandbox.create();
  const { child, ports } = await startDemo(sandbox, ['--duration', '2s']);
  const started = performance.now();
  const [, pageUrl] = await child.line(/^ *Page +(http:\S+)/);
  assert.match(await (await fetch(pageUrl!)).text(), /Silas Marner.*reviews v[123]/s);
  assert.deepEqual(await child.ended(30_000), { code: 0, signal: null }, child.output);
  const tookMs = performance.now() - started;
  t.diagnostic(`ended ${seconds(tookMs)} after it was up`);
  assert.ok(tookMs > 1_500, `${tookMs} ms`);
  assert.match(child.stdout, /Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/#token=hdd_\S+\n/);
  assert.equal(child.stdout.match(/^ {2}\S*heddle (?:get|apply) .*$/gm)?.length, 3, child.stdout);
  assert.deepEqual(processesWithMark(sandbox.mark), []);
  assert.deepEqual(portsInUse(ports), []);
});
