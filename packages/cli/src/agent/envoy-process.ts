// Envoy as the agent's child: started, waited for, drained, ended.
import { join } from 'node:path';
import type { Clock } from '@heddle/base';
import { writeFileAtomically } from '@heddle/identity';
import { type Application, startApplication } from '../supervisor/app-process.ts';
import { delay, within } from '../supervisor/delay.ts';
import { foreignNode } from './agent-node.ts';
import type { AgentOptions } from './agent-options.ts';
import { EnvoyAdmin } from './envoy-admin.ts';
import { envoyBootstrap } from './envoy-bootstrap.ts';
import type { ForeignDataPlane } from './foreign-data-plane.ts';

const lookMs = 50;
const endTimeoutMs = 1_000;

/** Envoy's names of levels. */
const logLevels = { debug: 'debug', info: 'warning', warn: 'warning', error: 'error' } as const;

/** Lives as long as its Envoy: where that ends without having been told to, the agent ends, and its supervisor starts both again. */
export class EnvoyProcess implements ForeignDataPlane {
  private readonly options: AgentOptions;
  private readonly clock: Clock;
  private readonly admin: EnvoyAdmin;
  private readonly over = new AbortController();
  private envoy: Application | null = null;

  constructor(options: AgentOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
    this.admin = new EnvoyAdmin(options.admin);
  }

  async start(socketPath: string, onEnded: (reason: string) => void): Promise<void> {
    const { stateDirectory, envoy: program, admin, concurrency, logLevel } = this.options;
    const path = join(stateDirectory, 'envoy.json');
    const bootstrap = envoyBootstrap(foreignNode(this.options), admin, socketPath);
    await writeFileAtomically(path, `${JSON.stringify(bootstrap, null, 2)}\n`);
    const words = ['-c', path, '--disable-hot-restart', '--concurrency', String(concurrency)];
    words.push('--drain-time-s', '5', '--drain-strategy', 'immediate', '--log-level', logLevels[logLevel]);
    // What it says goes where the agent's own words go. Its guard ends it when the agent is gone.
    const envoy = startApplication([program, ...words], process.env, {
      application: 'inherit',
      info: () => undefined,
      warning: () => undefined,
    });
    this.envoy = envoy;
    void envoy.ended
      .then(
        ({ signal, exitCode }) => signal ?? `exit code ${exitCode}`,
        (error: unknown) => String(error),
      )
      .then((reason) => {
        if (this.over.signal.aborted) return;
        this.over.abort();
        onEnded(reason);
      });
    while (!this.over.signal.aborted && !(await this.admin.isReady()))
      await delay(this.clock, lookMs, this.over.signal);
  }

  async drain(timeoutMs: number): Promise<number> {
    const until = this.clock.monotonic() + timeoutMs;
    await this.admin.drain();
    for (;;) {
      const open = await this.admin.activeRequests();
      if (open === undefined || open === 0) return 0;
      if (this.clock.monotonic() >= until) return open;
      await delay(this.clock, lookMs, this.over.signal);
    }
  }

  async close(): Promise<void> {
    this.over.abort();
    if (this.envoy === null) return;
    this.envoy.signal('SIGTERM');
    const ended = await within(this.clock, endTimeoutMs, this.envoy.ended);
    if (ended === undefined) this.envoy.signal('SIGKILL');
  }
}
