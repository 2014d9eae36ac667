// One measurement: a proxy alone on core 0, load and backend on core 1.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Child,
  cpuMsOf,
  descendantsOf,
  findProgram,
  freePort,
  memoryOf,
  runChild,
  startChild,
  waitForPort,
} from '@heddle/testkit';
import { type Command, type Peer, type Place, writeConfiguration } from './peer.ts';
import { parseWrk, type WrkResult } from './wrk.ts';

export interface Load {
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly bodyBytes: number;
}

export interface Measurement extends WrkResult {
  readonly peer: string;
  /** CPU time of the proxy per request in microseconds: the whole process tree, user and kernel. */
  readonly cpuUsPerRequest: number;
  readonly residentBytes: number;
  readonly privateBytes: number;
}

const proxyCore = '0';
const loadCore = '1';

function pinned(core: string, command: Command): Promise<Child> {
  const taskset = findProgram('taskset');
  const { environment } = command;
  const options = environment === undefined ? {} : { environment };
  if (taskset === null) return startChild(command.program, { ...options, arguments: command.arguments });
  return startChild(taskset, {
    ...options,
    name: command.program,
    arguments: ['-c', core, command.program, ...command.arguments],
  });
}

function wholeTree(child: Child): number[] {
  return [child.pid, ...descendantsOf(child.pid).map((entry) => entry.pid)];
}

function sum(pids: readonly number[], value: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + value(pid), 0);
}

/** Compiles the backend, once per run. Null where there is no compiler; then nginx takes its place. */
export async function buildBackend(directory: string): Promise<string | null> {
  const compiler = findProgram('gcc') ?? findProgram('cc');
  if (compiler === null) return null;
  const program = join(directory, 'backend');
  const source = new URL('backend.c', import.meta.url).pathname;
  const built = await runChild(compiler, { arguments: ['-O2', '-o', program, source] }, 60_000);
  if (built.exit?.code !== 0) throw new Error(`the backend does not compile:\n${built.output}`);
  return program;
}

async function startBackend(program: string | null, place: Place, bodyBytes: number): Promise<Child> {
  if (program !== null) {
    return await pinned(loadCore, { program, arguments: [String(place.backendPort), String(bodyBytes)] });
  }
  mkdirSync(join(place.directory, 'body'), { recursive: true });
  writeFileSync(join(place.directory, 'body/index.html'), 'b'.repeat(bodyBytes));
  const configuration = await writeConfiguration('nginx-backend.conf', place);
  const parameters = ['-p', `${place.directory}/`, '-c', configuration];
  return await pinned(loadCore, { program: findProgram('nginx')!, arguments: parameters });
}

async function wrk(port: number, load: Load, seconds: number): Promise<WrkResult> {
  const url = `http://127.0.0.1:${port}/`;
  const parameters = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--latency', url];
  await using child = await pinned(loadCore, { program: findProgram('wrk')!, arguments: parameters });
  await child.ended((seconds + 20) * 1000);
  return parseWrk(child.output);
}

/** Measures one peer once. */
export async function measure(
  peer: Peer,
  directory: string,
  backendProgram: string | null,
  load: Load,
): Promise<Measurement> {
  const place: Place = { directory, port: await freePort(), backendPort: await freePort() };
  await using backend = await startBackend(backendProgram, place, load.bodyBytes);
  await waitForPort(place.backendPort);
  await using proxy = await pinned(proxyCore, await peer.prepare(place));
  await waitForPort(place.port);
  await wrk(place.port, load, load.warmUpSeconds);
  const pids = wholeTree(proxy);
  const before = sum(pids, cpuMsOf);
  const result = await wrk(place.port, load, load.seconds);
  const cpuMs = sum(pids, cpuMsOf) - before;
  const measurement: Measurement = {
    peer: peer.name,
    ...result,
    cpuUsPerRequest: (cpuMs * 1000) / result.requests,
    residentBytes: sum(pids, (pid) => memoryOf(pid).resident),
    privateBytes: sum(pids, (pid) => memoryOf(pid).private),
  };
  if (proxy.exit !== null) throw new Error(`${peer.name} ended during the measurement:\n${proxy.output}`);
  await proxy.stop();
  await backend.stop();
  return measurement;
}

/** Private and resident memory of a peer that has started and done nothing, and one request's worth of proof that it works. */
export async function measureIdle(
  peer: Peer,
  directory: string,
  backendProgram: string | null,
): Promise<{ privateBytes: number; residentBytes: number }> {
  const place: Place = { directory, port: await freePort(), backendPort: await freePort() };
  await using backend = await startBackend(backendProgram, place, 128);
  await waitForPort(place.backendPort);
  await using proxy = await pinned(proxyCore, await peer.prepare(place));
  await waitForPort(place.port);
  const response = await fetch(`http://127.0.0.1:${place.port}/`);
  if (response.status !== 200) throw new Error(`${peer.name} answers ${response.status}:\n${proxy.output}`);
  await response.arrayBuffer();
  await new Promise((resolve) => {
    setTimeout(resolve, 2000);
  });
  const pids = wholeTree(proxy);
  const idle = {
    privateBytes: sum(pids, (pid) => memoryOf(pid).private),
    residentBytes: sum(pids, (pid) => memoryOf(pid).resident),
  };
  await proxy.stop();
  await backend.stop();
  return idle;
}
