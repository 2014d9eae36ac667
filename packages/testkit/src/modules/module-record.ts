import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The modules that one thread of one process has loaded. */
export interface ModuleRecord {
  readonly pid: number;
  /** 0 is the main thread. */
  readonly thread: number;
  /** The process's arguments, its Node.js first. */
  readonly commandLine: readonly string[];
  /** `file:` and `node:` URLs in the order in which they were loaded. */
  readonly modules: readonly string[];
  /** Modules of Node.js that were loaded when it ended, Node's own internal ones included: `http2`, `internal/http2/core`. */
  readonly builtins: readonly string[];
}

/** How lines begin that name a module of Node.js. */
const loaded = 'loaded ';

/**
 * Environment that makes a program, and those it starts, write down the modules they load into `directory`, for
 * `readModuleRecords`. The program must be a Node.js process or pass its environment on to one.
 */
export function recordingEnvironment(directory: string): Readonly<Record<string, string>> {
  const preload = new URL('./record-modules.ts', import.meta.url).href;
  return { HEDDLE_MODULE_RECORD: directory, NODE_OPTIONS: `--import=${preload}` };
}

/** Reads what has been written so far. */
export function readModuleRecords(directory: string): ModuleRecord[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.modules'))
    .map((name) => {
      const [commandLine = '[]', ...lines] = readFileSync(join(directory, name), 'utf8')
        .trimEnd()
        .split('\n');
      const [pid, thread] = name.replace('.modules', '').split('-');
      return {
        pid: Number(pid),
        thread: Number(thread),
        commandLine: JSON.parse(commandLine) as string[],
        modules: [...new Set(lines.filter((line) => !line.startsWith(loaded)))],
        builtins: lines.flatMap((line) => (line.startsWith(loaded) ? line.slice(loaded.length) : [])),
      };
    });
}
