import { readFileSync, readdirSync } from 'node:fs';

/** A process as Linux's /proc shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** `Z` for one that has ended and waits for its parent. */
  readonly state: string;
  /** The command with its arguments. */
  readonly command: string;
}

function readEntry(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, state: fields[0]!, parent: Number(fields[1]), command };
  } catch {
    // It ended while we looked.
    return null;
  }
}

/** All processes that run, those that have ended but were not waited for left out. */
export function runningProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readEntry(Number(name)))
    .filter((entry) => entry !== null && entry.state !== 'Z') as ProcessEntry[];
}

/** A process's children, their children and so on. Take the list before you kill: orphans get another parent. */
export function descendantsOf(pid: number): ProcessEntry[] {
  const all = runningProcesses();
  const found: ProcessEntry[] = [];
  const parents = [pid];
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    for (const entry of all) {
      if (entry.parent !== parent) continue;
      found.push(entry);
      parents.push(entry.pid);
    }
  }
  return found;
}

/** Those of `pids` that still run. */
export function stillRunning(pids: readonly number[]): ProcessEntry[] {
  return pids.map(readEntry).filter((entry) => entry !== null && entry.state !== 'Z') as ProcessEntry[];
}

/** A process's memory in bytes. */
export interface MemoryUse {
  /** Pages mapped at all, shared ones included. */
  readonly resident: number;
  /**
   * Pages that only this process has and that no other instance of the program could share: private dirty ones. Clean
   * private pages are the program's file; they are shared as soon as a second instance runs.
   */
  readonly private: number;
}

/** Memory of one process from /proc/PID/smaps_rollup. */
export function memoryOf(pid: number): MemoryUse {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    resident: kilobytes('Rss') * 1024,
    private: kilobytes('Private_Dirty') * 1024,
  };
}

/** CPU time a process has used, user and system, in milliseconds (in steps of 10). */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
