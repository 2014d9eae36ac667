// Finds the processes of one test by a mark in their environment, which every child inherits.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { type ProcessEntry, runningProcesses } from '@heddle/testkit';

/** The variable that carries a test's mark. */
export const markVariable = 'HEDDLE_E2E';

function hasMark(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${markVariable}=${mark}`);
  } catch {
    // It ended while we looked, or is somebody else's.
    return false;
  }
}

/** Everything that runs with this mark. */
export function processesWithMark(mark: string): ProcessEntry[] {
  return runningProcesses().filter(({ pid }) => hasMark(pid, mark));
}

/** Kills everything that runs with this mark, also what is started meanwhile. */
export function killMarked(mark: string): void {
  for (;;) {
    const found = processesWithMark(mark);
    if (found.length === 0) return;
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended while we looked.
      }
    }
  }
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** A TCP port on which somebody listens, and the socket's number. */
interface ListeningSocket {
  readonly port: number;
  readonly inode: string;
}

/** All sockets of this machine that listen for TCP connections (proc_pid_net(5): state 0A). */
function listeningSockets(): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => ({ port: Number.parseInt(fields[1]!.split(':')[1]!, 16), inode: fields[9]! })),
  );
}

/** The ports on which these processes listen, ascending. */
export function listeningPortsOf(processes: readonly ProcessEntry[]): number[] {
  const inodes = new Set(processes.flatMap(({ pid }) => socketsOf(pid)));
  const ports = listeningSockets()
    .filter(({ inode }) => inodes.has(inode))
    .map(({ port }) => port);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

/** Those of `ports` on which anybody listens now. */
export function portsInUse(ports: readonly number[]): number[] {
  const used = new Set(listeningSockets().map(({ port }) => port));
  return ports.filter((port) => used.has(port));
}
