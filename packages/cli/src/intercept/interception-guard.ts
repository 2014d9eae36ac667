// Takes rules away whose writer was killed.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { ownProgram } from '../own-program.ts';

/**
 * What the guard does: it waits for a line, after which there is nothing left to do, or for the end of the pipe, which means
 * that the writer is no more. A shell, as that costs 0.2 MB. Signals for a whole terminal or control group are not for it.
 */
const script = `
trap '' HUP INT QUIT TERM
read -r word && exit
exec "$@"
`;

export class InterceptionGuard {
  private readonly child: ChildProcess;
  private readonly lifeline: Writable;
  private readonly ended: Promise<void>;

  /** From now on the rules don't outlive this process. `lock`: a descriptor that the guard keeps open until they are gone. */
  constructor(lock: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const words = ['-c', script, 'heddle-interception-guard', ...ownProgram(), 'intercept', 'remove'];
    this.child = spawn('/bin/sh', words, { stdio: ['pipe', 'ignore', 'ignore', lock], detached: true });
    this.child.once('error', () => resolve());
    this.child.once('close', () => resolve());
    this.lifeline = this.child.stdio[0] as Writable;
    this.lifeline.on('error', () => {
      // It was killed, and there is no other.
    });
  }

  /** The rules are gone. */
  async dismiss(): Promise<void> {
    this.lifeline.end('\n');
    await this.ended;
  }

  /** Has it take the rules away. */
  async finish(): Promise<void> {
    this.lifeline.destroy();
    await this.ended;
  }
}
