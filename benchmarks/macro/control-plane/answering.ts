// Questions and answers between a measurement and the processes that it starts.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '@heddle/testkit';

interface Envelope {
  readonly id: number;
  readonly content: unknown;
}

/** In a started process: answers what it is asked. An error ends the process. */
export function answerQuestions(answer: (question: never) => unknown): void {
  process.on('message', (envelope: Envelope) => {
    void Promise.resolve(answer(envelope.content as never)).then((content) =>
      process.send!({ id: envelope.id, content }),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send!({ id: 0, content: null });
}

/** A process on one core that answers questions. */
export class AnsweringProcess<Q> {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (content: unknown) => void>();
  private nextId = 1;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid!;
    child.on('message', ({ id, content }: Envelope) => {
      this.waiting.get(id)?.(content);
      this.waiting.delete(id);
    });
  }

  static async start<Q>(
    core: string,
    file: string,
    parameters: readonly string[],
  ): Promise<AnsweringProcess<Q>> {
    const program = new URL(file, import.meta.url).pathname;
    const command = ['-c', core, process.execPath, program, ...parameters];
    const child = spawn(findProgram('taskset')!, command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const started = new AnsweringProcess<Q>(child);
    child.on('exit', (code) => {
      if (started.waiting.size === 0) return;
      console.error(`${file} ended with ${code}`);
      process.exit(1);
    });
    await started.answered(0);
    return started;
  }

  ask<A>(question: Q): Promise<A> {
    const id = this.nextId++;
    const answered = this.answered(id);
    this.child.send({ id, content: question } satisfies Envelope);
    return answered as Promise<A>;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }

  private answered(id: number): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.waiting.set(id, resolve);
    return promise;
  }
}
