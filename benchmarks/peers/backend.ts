// The server behind every proxy: compiled once per run, counts the requests it sees.
import { join } from 'node:path';
import { type Child, eventually, findProgram, runChild, waitForPort } from '@heddle/testkit';
import { loadCore, startPinned } from './processes.ts';

/** Compiles the backend and returns the program's path. */
export async function buildBackend(directory: string): Promise<string> {
  const program = join(directory, 'backend');
  const source = new URL('backend.c', import.meta.url).pathname;
  const built = await runChild(findProgram('gcc')!, { arguments: ['-O2', '-o', program, source] }, 60_000);
  if (built.exit?.code !== 0) throw new Error(`the backend does not compile:\n${built.output}`);
  return program;
}

export class Backend {
  private readonly child: Child;

  private constructor(child: Child) {
    this.child = child;
  }

  static async start(program: string, port: number, bodyBytes: number): Promise<Backend> {
    const child = await startPinned(loadCore, { program, arguments: [String(port), String(bodyBytes)] });
    await waitForPort(port);
    return new Backend(child);
  }

  /** How many requests it has seen. */
  async count(): Promise<number> {
    const printed = this.child.output.length;
    await eventually('the backend prints its count', () => {
      const { output } = this.child;
      // Asked just before it waits for its next event, it would tell after that event only.
      if (output.length === printed) this.child.kill('SIGUSR1');
      return output.length > printed && output.endsWith('\n');
    });
    return Number(/requests (\d+)\n$/.exec(this.child.output)![1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
  }
}
