// The servers behind the proxies: compiled once per run, they count the requests they see.
import { join } from 'node:path';
import { type Child, eventually, findProgram, runChild, waitForPort } from '@heddle/testkit';
import { loadCore, startPinned } from './processes.ts';

/** What stands behind all proxies of a suite: one of the programs, and its parameters behind the port. */
export interface BackendKind {
  readonly program: 'backend' | 'backend-h2';
  readonly parameters: readonly string[];
}

/** HTTP/1.1, responses with a body of so many bytes. */
export function http1Backend(bodyBytes: number): BackendKind {
  return { program: 'backend', parameters: [String(bodyBytes)] };
}

/** HTTP/2, responses with a body of so many bytes. */
export function http2Backend(bodyBytes: number): BackendKind {
  return { program: 'backend-h2', parameters: ['http', String(bodyBytes)] };
}

/** gRPC, so many messages of so many bytes in answer to each call. */
export function grpcBackend(messageBytes: number, messages: number): BackendKind {
  return { program: 'backend-h2', parameters: ['grpc', String(messageBytes), String(messages)] };
}

/** Compiles the backends; `backendProgram` says where each is. */
export async function buildBackends(directory: string): Promise<void> {
  for (const name of ['backend', 'backend-h2'] as const) {
    const source = new URL(`${name}.c`, import.meta.url).pathname;
    const parameters = ['-O2', '-o', backendProgram(directory, name), source];
    const built = await runChild(findProgram('gcc')!, { arguments: parameters }, 60_000);
    if (built.exit?.code !== 0) throw new Error(`${name} does not compile:\n${built.output}`);
  }
}

function backendProgram(directory: string, name: BackendKind['program']): string {
  return join(directory, name);
}

export class Backend {
  private readonly child: Child;

  private constructor(child: Child) {
    this.child = child;
  }

  /** Starts one of the programs that `buildBackends` put into `directory`. */
  static async start(
    directory: string,
    port: number,
    { program, parameters }: BackendKind,
  ): Promise<Backend> {
    const child = await startPinned(loadCore, {
      program: backendProgram(directory, program),
      arguments: [String(port), ...parameters],
    });
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
