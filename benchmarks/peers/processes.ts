// The processes of a run: the proxy alone on core 0, load and backend on core 1.
import { spawnSync } from 'node:child_process';
import {
  type Child,
  type MemoryUse,
  cpuMsOf,
  descendantsOf,
  findProgram,
  memoryOf,
  startChild,
} from '@heddle/testkit';
import type { Command } from './peer.ts';

export const proxyCore = '0';
export const loadCore = '1';

/** Starts a command on one core. */
export async function startPinned(core: string, command: Command): Promise<Child> {
  const parameters = ['-c', core, command.program, ...command.arguments];
  return await startChild(findProgram('taskset')!, { name: command.program, arguments: parameters });
}

/** This process generates load itself in some suites: it leaves the proxy's core alone. */
export function stayOffProxyCore(): void {
  spawnSync(findProgram('taskset')!, ['-a', '-c', '-p', loadCore, String(process.pid)]);
}

/** Proxies and all that they have started: they may have workers. */
export class ProcessTree {
  readonly pids: readonly number[];

  private constructor(pids: readonly number[]) {
    this.pids = pids;
  }

  static of(proxies: readonly Child[]): ProcessTree {
    return new ProcessTree(
      proxies.flatMap(({ pid }) => [pid, ...descendantsOf(pid).map((entry) => entry.pid)]),
    );
  }

  /** CPU time used so far, user and system. */
  get cpuMs(): number {
    return this.pids.reduce((total, pid) => total + cpuMsOf(pid), 0);
  }

  get memory(): MemoryUse {
    return this.pids.map(memoryOf).reduce((total, one) => ({
      resident: total.resident + one.resident,
      private: total.private + one.private,
    }));
  }
}

/** Bytes as tables show them. */
export function mebibytes(bytes: number): number {
  return bytes / 1_048_576;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
