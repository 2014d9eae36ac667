// gRPC clients of others, each told what to call and asked what came of it.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, runChild, temporaryDirectory } from '@heddle/testkit';
import type { Outcome, Scenario } from '../scenarios.ts';
import { callWithGrpcJs } from './grpc-js-client.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const limitMs = 60_000;

export interface GrpcClient {
  readonly name: string;
  /** What it takes, for `skipWithout`: null for what isn't there. */
  readonly needs: Readonly<Record<string, string | null>>;
  /** Makes the calls, one after the other, to this port of the loopback. */
  call(port: number, scenarios: readonly Scenario[]): Promise<Outcome[]>;
}

/** The first of these Pythons that has grpcio (Debian: python3-grpcio, for Debian's own). */
function findPython(): string | null {
  const candidates = [process.env['HEDDLE_PYTHON'], 'python3', '/usr/bin/python3'];
  for (const candidate of candidates) {
    const python = candidate === undefined ? null : findProgram(candidate);
    if (python !== null && spawnSync(python, ['-c', 'import grpc']).status === 0) return python;
  }
  return null;
}

/** Runs a program on a port and a file of calls; it prints a line for each. */
async function run(program: string, parameters: readonly string[], scenarios: readonly Scenario[]) {
  await using directory = await temporaryDirectory('heddle-grpc');
  const file = join(directory.path, 'calls.json');
  await writeFile(file, JSON.stringify(scenarios));
  const { exit, stdout, stderr } = await runChild(program, { arguments: [...parameters, file] }, limitMs);
  if (exit?.code !== 0) throw new Error(`${program} ended with ${exit?.code ?? exit?.signal}:\n${stderr}`);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Outcome);
}

const python = findPython();

const grpcio: GrpcClient = {
  name: 'grpcio',
  needs: { 'python3 with grpcio': python },
  call: (port, scenarios) => run(python!, [join(here, 'client.py'), String(port)], scenarios),
};

const go = findProgram('go') ?? findProgram('/usr/local/go/bin/go');

const grpcGo: GrpcClient = {
  name: 'grpc-go',
  needs: { go },
  call: async (port, scenarios) => {
    await using directory = await temporaryDirectory('heddle-grpc-go');
    const program = join(directory.path, 'client');
    const source = join(here, 'go-client');
    // Modules come from Go's cache or its proxy; go.sum says which bytes they are.
    const build = await runChild(
      go!,
      { arguments: ['build', '-mod=readonly', '-o', program, '.'], directory: source },
      2 * limitMs,
    );
    if (build.exit?.code !== 0) throw new Error(`the Go client can't be built:\n${build.output}`);
    return await run(program, [String(port)], scenarios);
  },
};

export const clients: readonly GrpcClient[] = [
  { name: 'grpc-js', needs: {}, call: callWithGrpcJs },
  grpcio,
  grpcGo,
];
