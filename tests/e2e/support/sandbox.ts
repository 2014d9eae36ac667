// An empty directory in which a test runs `heddle`, and from which nothing survives the test.
import { randomInt, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, temporaryDirectory } from '@heddle/testkit';
import { killMarked, markVariable } from './marked-processes.ts';

export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
export const launcher = join(repositoryRoot, 'packages/cli/bin/heddle');

/** The files of Istio's Bookinfo sample, or null where the conformance data is not on this machine. */
export function istioSamples(): string | null {
  const data = process.env['HEDDLE_CONFORMANCE'] ?? join(repositoryRoot, '../shared/conformance');
  const directory = join(data, 'istio-samples/bookinfo/networking');
  return existsSync(directory) ? directory : null;
}

/** A program of the bookstore example. */
export function bookstore(file: string): string {
  return join(repositoryRoot, 'examples/bookinfo', file);
}

/** A program of these tests. */
export function testApp(file: string): string {
  return join(import.meta.dirname, '../apps', file);
}

/** What `stablePort` has given: free until somebody listens there, and yet taken. */
const given = new Set<number>();

/**
 * A free port below the range from which the system takes ports for outgoing connections and from which `heddle run`
 * takes its own (from 20,000 on): a program that is killed and started again finds it free again.
 */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = randomInt(16_000, 20_000);
    if (given.has(port)) continue;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (!isFree) continue;
    given.add(port);
    return port;
  }
}

export interface StartOptions {
  readonly name?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  /** Signals go to all its processes, as a terminal's Ctrl-C does. */
  readonly group?: boolean;
}

const living = new Set<Sandbox>();

// A test that runs into its time limit is abandoned without its clean-up.
process.on('exit', () => {
  for (const sandbox of living) sandbox.killAll();
});
process.once('SIGTERM', () => process.exit(143));

/** A directory, and a mark for all processes that are started in it. */
export class Sandbox {
  readonly directory: string;
  readonly mark: string = randomUUID();

  protected constructor(directory: string) {
    this.directory = directory;
    living.add(this);
  }

  static async create(): Promise<Sandbox> {
    return new Sandbox((await temporaryDirectory('heddle-e2e')).path);
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  async write(name: string, text: string): Promise<string> {
    await writeFile(this.path(name), text);
    return this.path(name);
  }

  /** Starts a program in the directory. */
  start(command: string, parameters: readonly string[], options: StartOptions = {}): Child {
    return new Child(command, {
      name: options.name ?? [command, ...parameters].join(' '),
      arguments: parameters,
      directory: options.directory ?? this.directory,
      group: options.group ?? false,
      environment: {
        HEDDLE_TOKEN: undefined,
        HEDDLE_DEBUG: undefined,
        NO_COLOR: '1',
        ...options.environment,
        [markVariable]: this.mark,
      },
    });
  }

  /** Starts `heddle` with these arguments. */
  startHeddle(parameters: readonly string[], options: StartOptions = {}): Child {
    return this.start(launcher, parameters, { name: `heddle ${parameters.join(' ')}`, ...options });
  }

  /** Runs `heddle` with these arguments to its end, whatever that is. */
  async heddle(parameters: readonly string[], options: StartOptions = {}): Promise<Child> {
    const child = this.startHeddle(parameters, options);
    await child.ended();
    return child;
  }

  /** Kills whatever was started in here and still runs. */
  killAll(): void {
    killMarked(this.mark);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killAll();
    living.delete(this);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
