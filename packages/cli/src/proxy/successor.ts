// An upgrade without a refused connection: a new process is started beside this one and gets the listening sockets, as
// file descriptors that it inherits.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { errorMessage, systemClock } from '@heddle/base';
import type { OpenSocket } from '@heddle/proxy/bootstrap';
import { ownProgram } from '../own-program.ts';

/** How long a new process may take until it serves. */
const startTimeoutMs = 60_000;
/** Standard input, output, error, and the channel between the two. */
const firstDescriptor = 4;
const variable = 'HEDDLE_SUCCESSION';

/** What a process gets from the one that it replaces. */
export interface Succession {
  /** How often the process has been replaced; 0 for the first one. */
  readonly epoch: number;
  readonly sockets: readonly OpenSocket[];
}

/** What the environment says; the sockets are open. The variable is taken away: it is meant for this process alone. */
export function receiveSuccession(environment: NodeJS.ProcessEnv = process.env): Succession {
  const text = environment[variable];
  delete environment[variable];
  if (text === undefined) return { epoch: 0, sockets: [] };
  const { epoch, addresses } = JSON.parse(text) as { epoch: number; addresses: string[] };
  return {
    epoch,
    sockets: addresses.map((address, index) => ({ address, descriptor: firstDescriptor + index })),
  };
}

/** Tells the process before this one, and systemd, that this one serves. */
export function announceSuccession({ epoch }: Succession): void {
  if (process.env['NOTIFY_SOCKET'] !== undefined) {
    // Node has no datagram sockets for this; systemd brings a program for it.
    execFile('systemd-notify', ['--ready', `MAINPID=${process.pid}`], () => undefined);
  }
  if (epoch === 0 || !process.connected) return;
  process.send?.('serving');
  process.disconnect?.();
}

/**
 * Starts the program again with this process's arguments and sockets. Resolves when it serves, null then; otherwise with
 * the reason, and it does not run any more.
 */
export function startSuccessor({ epoch, sockets: all }: Succession): Promise<string | null> {
  // One that has just been closed has no descriptor: the new process would take the place for an open socket.
  const sockets = all.filter(({ descriptor }) => descriptor >= 0);
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const [program, ...words] = ownProgram();
  let child: ChildProcess;
  try {
    child = spawn(program, [...words, ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.map(({ descriptor }) => descriptor)],
      env: {
        ...process.env,
        [variable]: JSON.stringify({ epoch, addresses: sockets.map(({ address }) => address) }),
      },
    });
  } catch (error) {
    // Node throws what it doesn't expect of the system, such as a want of memory.
    return Promise.resolve(errorMessage(error));
  }
  const timer = systemClock.setTimer(startTimeoutMs, () => {
    child.kill('SIGKILL');
    resolve(`it did not serve within ${startTimeoutMs / 1000} s`);
  });
  child.once('message', () => {
    child.unref();
    resolve(null);
  });
  child.once('error', (error) => resolve(error.message));
  child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  return promise.finally(() => timer.cancel());
}
