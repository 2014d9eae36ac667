import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ChildOptions {
  readonly arguments?: readonly string[];
  /** Added to the environment of the test; `undefined` takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  /** Name for messages; default the command's. */
  readonly name?: string;
  /** It leads a process group of its own, and signals go to all of that, as a terminal's Ctrl-C does. */
  readonly group?: boolean;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const defaultTimeoutMs = 20_000;

/** A child process of a test: what it printed, what to wait for, and that it ends with the test (`await using`). */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** Everything printed so far, both streams as they came. */
  output = '';
  stdout = '';
  stderr = '';
  /** Null while it runs. */
  exit: Exit | null = null;
  private readonly watchers = new Set<() => void>();
  private failure: Error | null = null;
  private readonly leadsGroup: boolean;

  constructor(command: string, options: ChildOptions = {}) {
    this.name = options.name ?? command;
    this.leadsGroup = options.group === true;
    const environment: NodeJS.ProcessEnv = { ...process.env };
    // The runner's own marks must not reach a program under test.
    delete environment['NODE_TEST_CONTEXT'];
    for (const [key, value] of Object.entries(options.environment ?? {})) {
      if (value === undefined) delete environment[key];
      else environment[key] = value;
    }
    this.process = spawn(command, options.arguments ?? [], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: this.leadsGroup,
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
    });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => this.record('stdout', text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => this.record('stderr', text));
    this.process.on('error', (error) => {
      this.failure = error;
      this.changed();
    });
    this.process.on('close', (code, signal) => {
      this.exit = { code, signal };
      this.changed();
    });
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined)
      throw new Error(`${this.name} was not started: ${this.failure?.message ?? 'no reason known'}`);
    return pid;
  }

  /** The first line that matches, printed before or after the call. Fails where the process ends without it. */
  async line(pattern: RegExp, timeoutMs: number = defaultTimeoutMs): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => {
      const complete = this.output.slice(0, this.output.lastIndexOf('\n') + 1);
      for (const line of complete.split('\n')) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      return null;
    };
    let found: RegExpExecArray | null = null;
    await this.wait(`print a line like ${pattern.source}`, timeoutMs, () => {
      found ??= find();
      return found !== null;
    });
    return found!;
  }

  /** Waits until the process has ended and its output is complete. */
  async ended(timeoutMs: number = defaultTimeoutMs): Promise<Exit> {
    await this.wait('end', timeoutMs, () => this.exit !== null);
    return this.exit!;
  }

  /** Sends a signal; does nothing when the process has ended. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.exit !== null) return;
    if (this.leadsGroup) process.kill(-this.pid, signal);
    else this.process.kill(signal);
  }

  /** Asks it to end, and after `graceMs` makes it. */
  async stop(graceMs = 5000): Promise<Exit> {
    if (this.exit !== null) return this.exit;
    this.kill('SIGTERM');
    try {
      return await this.ended(graceMs);
    } catch {
      this.kill('SIGKILL');
      return await this.ended();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.failure === null) await this.stop();
  }

  private record(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.output += text;
    this.changed();
  }

  private changed(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  private async wait(what: string, timeoutMs: number, condition: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (reason: string): void => {
      reject(new Error(`${this.name} did not ${what}: ${reason}; it printed:\n${this.output}`));
    };
    const check = (): void => {
      if (condition()) resolve();
      else if (this.failure !== null) fail(this.failure.message);
      else if (this.exit !== null) fail(`it ended with ${this.exit.code ?? this.exit.signal}`);
    };
    const timer = setTimeout(() => fail(`${timeoutMs} ms are over`), timeoutMs);
    this.watchers.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.watchers.delete(check);
    }
  }
}

/** Starts a process; resolves when it runs, fails with the system's reason where it can't be started. */
export async function startChild(command: string, options: ChildOptions = {}): Promise<Child> {
  const child = new Child(command, options);
  await once(child.process, 'spawn');
  return child;
}

/** Runs a process to its end. */
export async function runChild(
  command: string,
  options: ChildOptions = {},
  timeoutMs: number = defaultTimeoutMs,
): Promise<Child> {
  await using child = await startChild(command, options);
  await child.ended(timeoutMs);
  return child;
}
