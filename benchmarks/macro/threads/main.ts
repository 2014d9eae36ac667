// `node benchmarks/macro/threads/main.ts [--services 1000] [--endpoints 10] [--response-bytes 65536] [--rounds 5] [--ways sliced,…] [--json FILE]`
//
// Which thread talks xDS, compiles and moves bytes? Runs a sidecar each way against one control plane, as built
// JavaScript with a warm compile cache, and compares private memory and the longest stall of the thread that moves bytes.
// The decision is recorded in docs/decisions/0002-threads.md.
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { memoryOf, temporaryDirectory } from '@heddle/testkit';
import { bundlePrograms, inRepository } from '../../../tools/bundle.ts';
import { describeMachine, loadAverage } from '../../peers/machine.ts';
import { median } from '../../peers/figures.ts';
import type { Stalls } from './stall-meter.ts';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    endpoints: { type: 'string', default: '10' },
    'response-bytes': { type: 'string', default: '65536' },
    rounds: { type: 'string', default: '5' },
    ways: { type: 'string', default: 'sliced,unsliced,worker-xds,worker-bytes' },
    json: { type: 'string', default: '' },
  },
});

const mib = 1024 * 1024;
/** Listeners, route configuration and trust bundle come on top of a cluster and a load assignment per service. */
const expected = 2 * Number(values.services) + 3;

interface Result {
  readonly way: string;
  /** Private memory before anything is received, once it has all been compiled and the process is idle, and at most. */
  readonly emptyMiB: number;
  readonly settledMiB: number;
  readonly peakMiB: number;
  readonly syncMs: number;
  readonly syncStalls: Stalls;
  /** Of 20 changes of one endpoint each. */
  readonly changeStalls: Stalls;
  /** The longest a byte sent every millisecond took there and back during the sync. */
  readonly slowestEchoMs: number;
}

/** A child that is given lines and answers with lines. */
class Program {
  readonly pid: number;
  private readonly child;
  private readonly lines: string[] = [];
  private wake: () => void = () => undefined;

  constructor(file: string, parameters: readonly string[], cache: string) {
    this.child = spawn(process.execPath, [file, ...parameters], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    this.pid = this.child.pid!;
    createInterface(this.child.stdout).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.child.on('exit', () => this.wake());
  }

  async line(): Promise<string> {
    while (this.lines.length === 0) {
      if (this.child.exitCode !== null) throw new Error(`a program ended with ${this.child.exitCode}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.lines.shift()!;
  }

  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  async end(): Promise<void> {
    this.child.stdin.end();
    if (this.child.exitCode === null) {
      await new Promise((resolve) => {
        this.child.once('exit', resolve);
      });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A byte a millisecond to the sidecar and back. */
class Echo {
  slowestMs = 0;
  private readonly socket: Socket;
  private sentAt = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', () => {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - this.sentAt);
      this.sentAt = 0;
    });
    this.timer = setInterval(() => {
      if (this.sentAt !== 0) return;
      this.sentAt = performance.now();
      this.socket.write('x');
    }, 1);
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.destroy();
  }
}

interface State {
  readonly resources: number;
  readonly stalls: Stalls;
  readonly elapsedMs: number;
}

async function stateOf(sidecar: Program): Promise<State> {
  sidecar.say('state');
  return JSON.parse(await sidecar.line()) as State;
}

async function runOnce(
  way: string,
  directory: string,
  controlPlane: Program,
  xdsPort: string,
): Promise<Result> {
  const sidecar = new Program(join(directory, 'sidecar.js'), [way, xdsPort], join(directory, 'cache'));
  const port = Number((await sidecar.line()).replace('port ', ''));
  const echo = new Echo(port);
  await pause(1000);
  await stateOf(sidecar);
  const empty = memoryOf(sidecar.pid).private;
  echo.slowestMs = 0;
  sidecar.say('start');
  let peak = 0;
  const stalls: Stalls[] = [];
  let state: State;
  do {
    await pause(25);
    state = await stateOf(sidecar);
    stalls.push(state.stalls);
    peak = Math.max(peak, memoryOf(sidecar.pid).private);
    if (state.elapsedMs > 60_000)
      throw new Error(`${way}: ${state.resources} of ${expected} resources after a minute`);
  } while (state.resources < expected);
  const slowestEchoMs = echo.slowestMs;
  await pause(1000);
  stalls.push((await stateOf(sidecar)).stalls);
  const changes: Stalls[] = [];
  for (let change = 0; change < 20; change++) {
    controlPlane.say('change');
    await pause(25);
    changes.push((await stateOf(sidecar)).stalls);
  }
  echo.close();
  await pause(5000);
  const settled = memoryOf(sidecar.pid).private;
  await sidecar.end();
  const longest = (all: readonly Stalls[]): Stalls => ({
    wallMs: Math.max(...all.map((one) => one.wallMs)),
    cpuMs: Math.max(...all.map((one) => one.cpuMs)),
  });
  return {
    way,
    emptyMiB: empty / mib,
    settledMiB: settled / mib,
    peakMiB: peak / mib,
    syncMs: state.elapsedMs,
    syncStalls: longest(stalls),
    changeStalls: longest(changes),
    slowestEchoMs,
  };
}

await using directory = await temporaryDirectory('heddle-threads');
await bundlePrograms(
  {
    sidecar: inRepository('benchmarks/macro/threads/sidecar.ts'),
    'control-plane': inRepository('benchmarks/macro/threads/control-plane.ts'),
  },
  directory.path,
);
await writeFile(join(directory.path, 'package.json'), '{"type":"module"}');
const controlPlane = new Program(
  join(directory.path, 'control-plane.js'),
  [values.services, values.endpoints, values['response-bytes']],
  join(directory.path, 'cache'),
);
const xdsPort = (await controlPlane.line()).replace('port ', '');
const ways = values.ways.split(',');
console.log(`${values.services} services × ${values.endpoints} endpoints, load average ${loadAverage()}`);
const results: Result[] = [];
for (const way of ways) await runOnce(way, directory.path, controlPlane, xdsPort);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const way of ways) results.push(await runOnce(way, directory.path, controlPlane, xdsPort));
}
await controlPlane.end();

/**
 * Memory: medians. Stalls: the least disturbed round, because a machine that does something else at the moment makes a
 * stall longer and never shorter. The kernel counts a thread's CPU time in ticks of 4 ms, so that column is coarse.
 */
const columns: readonly [string, (one: Result) => number, (values: readonly number[]) => number][] = [
  ['private MiB: empty', (one) => one.emptyMiB, median],
  ['configured', (one) => one.settledMiB, median],
  ['peak', (one) => one.peakMiB, median],
  ['sync ms', (one) => one.syncMs, median],
  ['longest stall ms', (one) => one.syncStalls.wallMs, least],
  ['its median', (one) => one.syncStalls.wallMs, median],
  ['CPU', (one) => one.syncStalls.cpuMs, median],
  ['one change', (one) => one.changeStalls.wallMs, least],
  ['slowest echo', (one) => one.slowestEchoMs, least],
];

function least(numbers: readonly number[]): number {
  return Math.min(...numbers);
}

console.log(`${''.padEnd(14)}${columns.map(([title]) => title.padStart(title.length + 2)).join('')}`);
for (const way of ways) {
  const cells = columns.map(([title, pick, combine]) => {
    const value = combine(results.filter((one) => one.way === way).map(pick));
    return value.toFixed(1).padStart(title.length + 2);
  });
  console.log(`${way.padEnd(14)}${cells.join('')}`);
}
if (values.json !== '') {
  await writeFile(values.json, `${JSON.stringify({ machine: describeMachine(), results }, null, 2)}\n`);
}
