// Starts the application in a process group of its own, with a guard in the group that ends it when Heddle is gone.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants as osConstants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { systemErrorCode } from '@heddle/base';
import type { WorkloadOutput } from './workload-options.ts';

/**
 * What the shell does before it becomes the application.
 *
 * It leaves a guard behind: a shell that waits for a pipe from the supervisor to end and then ends its own process
 * group, TERM first, KILL two seconds later. Nothing else is sure to happen after `kill -9`, a crash or the kernel's
 * out-of-memory killer, and a shell costs 0.2 MB where a second Node would cost 10.
 *
 * - The shell then *becomes* the application (`exec`), so the supervisor sees its process id, exit code and signals
 *   directly, and the application has no process above it that it does not expect.
 * - Twice in the background: the guard is nobody's child, so that an application that waits for all its children
 *   (a pre-forking server, a test runner) never waits for this one.
 * - The guard belongs to the application's process group, and `kill 0` means one's own group. No process id is kept
 *   anywhere, so none can be stale; and as long as the guard lives, no other group can be given the number.
 * - Signals are ignored before the guard is forked: there is no moment in which a SIGTERM for the group takes it along.
 * - It holds none of the application's streams open, and the application doesn't get the pipe (`3<&-`).
 * - It is a shell started anew, so that the application's name isn't in its arguments, where `pkill -f` would find it.
 */
const startWithGuard = `
(
  trap '' HUP INT QUIT TERM
  /bin/sh -c 'read -r word; kill -TERM 0; sleep 2; kill -KILL 0' heddle-guard <&3 >/dev/null 2>&1 3<&- &
)
exec "$@" 3<&-
`;

/** How the application ended. */
export interface ApplicationEnd {
  /** As a shell reports it: 128 plus the number of the signal that ended it. */
  readonly exitCode: number;
  /** The signal that ended it, or null. */
  readonly signal: NodeJS.Signals | null;
}

/** The application while it runs. */
export interface Application {
  /** Its process id, which is its process group's and its session's too. */
  readonly pid: number;
  readonly ended: Promise<ApplicationEnd>;
  /** Sends a signal to the whole process group; does nothing once that is gone. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** 128 plus the signal's number, as shells have it. */
export function signalExitCode(name: NodeJS.Signals): number {
  return 128 + osConstants.signals[name];
}

function passLines(stream: Readable | null, name: 'stdout' | 'stderr', output: WorkloadOutput): void {
  const { application } = output;
  if (stream === null || application === 'inherit') return;
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => application(line, name));
}

/** Waits until the process has ended and, where we read its output, all of that has arrived. */
async function endOf(child: ChildProcess, output: WorkloadOutput): Promise<ApplicationEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<ApplicationEnd>();
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    resolve({ exitCode: signal === null ? (code ?? 1) : signalExitCode(signal), signal });
  });
  passLines(child.stdout, 'stdout', output);
  passLines(child.stderr, 'stderr', output);
  return promise;
}

/**
 * Starts the program. The caller has made sure that it exists and can be executed.
 *
 * When the program itself has ended, what it left behind in its process group is killed, as in a container: nothing
 * may go on serving behind a sidecar that is gone. What moved to a session of its own (a daemon) is on its own.
 */
export function startApplication(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  output: WorkloadOutput,
): Application {
  const stdio = output.application === 'inherit' ? 'inherit' : 'pipe';
  const child = spawn('/bin/sh', ['-c', startWithGuard, 'heddle-run', ...command], {
    env: environment,
    stdio: [stdio === 'inherit' ? 'inherit' : 'ignore', stdio, stdio, 'pipe'],
    // A session of its own: Ctrl-C at the terminal reaches the supervisor only, which withdraws the instance first.
    detached: true,
  });
  const pid = child.pid ?? -1;
  const lifeline = child.stdio[3] as Writable;
  lifeline.on('error', () => {
    // The guard is gone already.
  });
  let guarded = true;
  lifeline.once('close', () => {
    guarded = false;
  });
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    // Without the guard the group's number may belong to somebody else by now.
    if (pid <= 0 || !guarded) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      if (systemErrorCode(error) !== 'ESRCH') throw error;
    }
  };
  const ended = endOf(child, output).finally(() => {
    signal('SIGKILL');
    lifeline.destroy();
  });
  return { pid, ended, signal };
}
