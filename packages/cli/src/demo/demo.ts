// `heddle demo`: a whole mesh on this machine, and what to do with it.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { styleText } from 'node:util';
import { errorMessage, systemClock, systemRandom } from '@heddle/base';
import { connectApi } from '../api/connect.ts';
import { CliError } from '../cli-error.ts';
import type { DemoFlags } from '../commands/demo.ts';
import { ExitCode } from '../exit-code.ts';
import { watchNpm } from '../npm-parent.ts';
import { type EndRequests, listenForEnd } from '../signals.ts';
import { delay } from '../supervisor/delay.ts';
import { requireFreePort } from '../supervisor/ports.ts';
import { runWorkload } from '../supervisor/run-workload.ts';
import type { WorkloadOptions } from '../supervisor/workload-options.ts';
import { bookstore, bookstoreDirectory, findPython } from './bookstore.ts';
import { type ControlPlaneChild, startControlPlaneChild } from './control-plane-child.ts';
import { createDemoStore } from './demo-store.ts';
import { nextFreePort } from './free-port.ts';
import { trickle, visit } from './trickle.ts';

const clock = systemClock;
/** Longer than any start should take: then the demo says what is missing instead of waiting for ever. */
const startTimeoutMs = 30_000;
const lateAfterMs = 5_000;
const pollMs = 50;

const print = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};
const style = (format: 'bold' | 'dim' | 'green' | 'cyan' | 'yellow', text: string): string =>
  styleText(format, text, { stream: process.stdout });
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A path as somebody would type it here. */
function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

/** How `heddle` is called here: by npx where that finds this very program, by its path elsewhere. */
function commandName(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'node_modules/.bin/heddle'))) return 'npx heddle';
    if (dirname(directory) === directory) break;
  }
  return shownPath(join(import.meta.dirname, '../../bin/heddle'));
}

/** What keeps the page from being whole; empty where nothing does. */
function pageProblem({ status, body }: { readonly status: number; readonly body: string }): string {
  if (status === 0) return 'nobody answers';
  if (status !== 200) return `it answers ${status} ${body.slice(0, 200)}`;
  const { details, reviews } = JSON.parse(body) as Record<string, { problem: string | null }>;
  return details?.problem ?? reviews?.problem ?? '';
}

/** One demo, from its first port to its last process. */
class Demo {
  private readonly startedAt = clock.monotonic();
  private readonly stopping = new AbortController();
  private readonly force: AbortSignal;
  private readonly pending: string[] = [];
  private isUp = false;
  private failure: unknown;
  private readonly workloads: Promise<void>[] = [];

  constructor(end: EndRequests) {
    this.force = end.force;
    end.signal.addEventListener('abort', () => this.stopping.abort(end.signal.reason), { once: true });
  }

  async run(flags: DemoFlags): Promise<number> {
    const taken = new Set<number>();
    if (flags.port !== undefined) {
      await requireFreePort(flags.port, '127.0.0.1', '--port');
      taken.add(flags.port);
    }
    const store = await createDemoStore();
    const page = { address: '127.0.0.1', port: flags.port ?? (await nextFreePort(8080, taken)) };
    const ports = {
      api: await nextFreePort(15_080, taken),
      xds: await nextFreePort(15_012, taken),
      join: await nextFreePort(15_011, taken),
    };
    print(
      `${style('bold', 'Heddle demo')}: a bookstore of four services, each instance with its own sidecar.\n`,
    );
    void watchNpm(clock, 'any', () => this.stopping.abort('SIGTERM'), this.stopping.signal);
    const python = findPython();
    const controlPlane = await startControlPlaneChild(store, ports);
    try {
      this.report('control plane');
      void controlPlane.ended.then(() =>
        this.fail(
          new CliError('HEDDLE_CONTROL_PLANE_FAILED', 'the control plane has ended', {
            hint: `it wrote to ${join(store, 'control-plane.log')}`,
          }),
        ),
      );
      const pythonPath = await python;
      await this.startBookstore(bookstore(store, page, pythonPath));
      if (pythonPath === undefined) print('  There is no Python here: details runs as its twin in Node.js.');
      const pageUrl = `http://localhost:${page.port}/`;
      await this.configure(store);
      await this.untilPageWorks(pageUrl);
      if (!this.stopping.signal.aborted) {
        this.printSummary(pageUrl, controlPlane);
        void trickle(pageUrl, clock, systemRandom, this.stopping.signal);
        await this.untilEnd(flags.duration);
      }
    } finally {
      await this.stop(controlPlane);
    }
    if (this.failure !== undefined) throw this.failure;
    return ExitCode.ok;
  }

  private report(what: string): void {
    print(
      `  ${style('green', '✓')} ${what.padEnd(24)} ${style('dim', seconds(clock.monotonic() - this.startedAt))}`,
    );
  }

  private fail(reason: unknown): void {
    if (this.stopping.signal.aborted) return;
    this.failure = reason;
    this.stopping.abort('SIGTERM');
  }

  /** Starts all instances at once; resolves when all are published or the demo is ending. */
  private async startBookstore(instances: readonly WorkloadOptions[]): Promise<void> {
    const published = instances.map(async (options) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      const name = `${options.service} ${options.version}`;
      this.workloads.push(this.runInstance(name, options, resolve));
      await promise;
      if (!this.stopping.signal.aborted) this.report(name);
    });
    const timer = clock.setTimer(startTimeoutMs, () => {
      this.fail(
        new CliError('HEDDLE_DEMO_FAILED', `the bookstore was not up within ${seconds(startTimeoutMs)}`, {
          hint: this.pending.at(-1) ?? '',
        }),
      );
    });
    await Promise.all(published);
    timer.cancel();
  }

  private async runInstance(name: string, options: WorkloadOptions, onPublished: () => void): Promise<void> {
    const show = (text: string): void => print(`  ${style('cyan', name.padEnd(14))} ${text}`);
    // What programs say while they start is told only if the start fails.
    const line = (text: string): void => {
      if (this.isUp) show(text);
      else this.pending.push(`${name}: ${text}`);
    };
    try {
      const exitCode = await runWorkload(options, {
        signal: this.stopping.signal,
        force: this.force,
        output: {
          application: line,
          info: (message) => {
            // That it serves again is news; that it serves is in the list.
            if (this.isUp && !this.stopping.signal.aborted) line(message);
          },
          warning: (message, hint) =>
            show(`${style('yellow', 'warning:')} ${message}${hint === undefined ? '' : ` (${hint})`}`),
          onPublished,
        },
      });
      if (this.stopping.signal.aborted) return;
      const error = new CliError('HEDDLE_DEMO_FAILED', `${name} ended with exit code ${exitCode}`, {
        hint: this.pending.findLast((text) => text.startsWith(`${name}: `)) ?? '',
      });
      if (!this.isUp) this.fail(error);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Names the versions, so that the rules to try find their subsets. */
  private async configure(store: string): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const name = join(bookstoreDirectory(), 'destination-rule.yaml');
    const api = await connectApi({ store });
    const text = await readFile(name, 'utf8');
    await api.post('/api/v1/apply', {
      files: [{ name, text }],
      namespace: 'default',
      strict: false,
      dryRun: false,
    });
  }

  private async untilPageWorks(url: string): Promise<void> {
    const { signal } = this.stopping;
    const startedAt = clock.monotonic();
    let isLate = false;
    while (!signal.aborted) {
      const problem = pageProblem(await visit(`${url}api/product`, undefined));
      if (problem === '') return;
      const waitedMs = clock.monotonic() - startedAt;
      if (waitedMs > startTimeoutMs) {
        throw new CliError('HEDDLE_DEMO_FAILED', `the page ${url} does not work: ${problem}`);
      }
      if (waitedMs > lateAfterMs && !isLate) {
        isLate = true;
        print(`  … waiting for the page: ${problem}`);
      }
      await delay(clock, pollMs, signal);
    }
  }

  private printSummary(pageUrl: string, controlPlane: ControlPlaneChild): void {
    this.isUp = true;
    const name = commandName();
    const examples = shownPath(bookstoreDirectory());
    const elapsed = seconds(clock.monotonic() - this.startedAt);
    print(`\nEverything answers after ${style('bold', elapsed)}.\n`);
    print(`  Page       ${style('cyan', pageUrl)}`);
    print(
      `  Dashboard  ${style('cyan', `${controlPlane.dashboardUrl}#token=${controlPlane.dashboardToken}`)}`,
    );
    print('\nTo try in another terminal, in this directory:\n');
    const tries = [
      ['services, with rates and latencies of the last seconds', 'get services'],
      [
        'one of five visitors gets reviews v2, with black stars',
        `apply -f ${join(examples, 'reviews-80-20.yaml')}`,
      ],
      ['jason gets reviews v3: sign in on the page', `apply -f ${join(examples, 'reviews-jason.yaml')}`],
    ] as const;
    for (const [what, command] of tries) print(`  ${style('dim', `# ${what}`)}\n  ${name} ${command}`);
    print('\nA trickle of visitors keeps the numbers moving. Ctrl-C ends everything.');
  }

  private async untilEnd(durationMs: number | undefined): Promise<void> {
    const { signal } = this.stopping;
    if (durationMs !== undefined) await delay(clock, durationMs, signal);
    else if (!signal.aborted) await once(signal, 'abort');
  }

  private async stop(controlPlane: ControlPlaneChild): Promise<void> {
    const startedAt = clock.monotonic();
    if (this.isUp) print('\nStopping …');
    this.stopping.abort('SIGTERM');
    await Promise.allSettled(this.workloads);
    await controlPlane.stop();
    if (this.isUp) print(`Stopped, nothing is left running (${seconds(clock.monotonic() - startedAt)}).`);
  }
}

/** `heddle demo`. */
export async function demo(flags: DemoFlags): Promise<number> {
  const end = listenForEnd();
  try {
    return await new Demo(end).run(flags);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('HEDDLE_DEMO_FAILED', `the demo failed: ${errorMessage(error)}`, { cause: error });
  } finally {
    end.release();
  }
}
