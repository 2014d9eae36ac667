// One measurement: a control plane on one core, its simulated proxies on the other.
import { loadCore, pause, proxyCore } from '../../peers/processes.ts';
import { AnsweringProcess } from './answering.ts';
import { ownServices } from './mesh.ts';
import {
  machineMs,
  type Change,
  type ChangeKind,
  type ControlPlaneQuestion,
  type ControlPlaneReady,
  type Latencies,
  type LoaderQuestion,
  type LoadProgress,
  type Usage,
} from './messages.ts';

export interface Plan {
  readonly proxies: number;
  readonly services: number;
  readonly endpoints: number;
  readonly namespaces: number;
  /** Whether each proxy sees a few services of its own, by a `Sidecar`, and not all. */
  readonly isPerProxy: boolean;
  /** Changes of each kind. */
  readonly changes: number;
  /** How long endpoints change at `churnRate` a second; 0 for not at all. */
  readonly churnSeconds: number;
  readonly churnRate: number;
}

/** From a change until proxies have acknowledged it, over all changes of a kind. */
export interface ChangeFigures {
  readonly kind: ChangeKind;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
  /** The control plane's CPU time for one change. */
  readonly cpuMs: number;
  readonly bytesPerProxy: number;
  /** Acknowledgements that did not come. */
  readonly missing: number;
}

export interface ChurnFigures {
  readonly changes: number;
  readonly behindP99Ms: number;
  readonly behindMostMs: number;
  readonly cpuMs: number;
  /** As time went by. */
  readonly rssBytes: readonly number[];
}

export interface Figures extends Pick<Plan, 'proxies' | 'services' | 'endpoints' | 'isPerProxy'> {
  /** Proxies that got their whole first state. */
  readonly served: number;
  /** From the first connection until the last proxy was complete. */
  readonly firstStateMs: number;
  readonly firstStateCpuMs: number;
  readonly loaderCpuMs: number;
  readonly bytesPerProxy: number;
  readonly reconnects: number;
  /** What a proxy that was served already waited at most for a change while others connected. */
  readonly waitWhileConnectingMs: number;
  readonly peakRssBytes: number;
  readonly settledRssBytes: number;
  readonly changes: readonly ChangeFigures[];
  readonly churn: ChurnFigures | null;
}

const kinds: readonly ChangeKind[] = ['endpoint', 'route', 'policy', 'certificate'];
const connectWithinMs = 5000;
const giveUpMs = 120_000;
const changeTimeoutMs = 10_000;

/** Starts both processes, measures, ends them. */
export async function measure(plan: Plan): Promise<Figures> {
  const { services, endpoints, namespaces, isPerProxy, proxies } = plan;
  const parameters = [services, endpoints, namespaces, isPerProxy ? proxies : 0].map(String);
  const server = await AnsweringProcess.start<ControlPlaneQuestion>(
    proxyCore,
    'control-plane.ts',
    parameters,
  );
  const loader = await AnsweringProcess.start<LoaderQuestion>(loadCore, 'loader.ts', []);
  try {
    return await new Measurement(plan, server, loader).run();
  } finally {
    await loader.end();
    await server.end();
  }
}

class Measurement {
  private readonly plan: Plan;
  private readonly server: AnsweringProcess<ControlPlaneQuestion>;
  private readonly loader: AnsweringProcess<LoaderQuestion>;

  constructor(
    plan: Plan,
    server: AnsweringProcess<ControlPlaneQuestion>,
    loader: AnsweringProcess<LoaderQuestion>,
  ) {
    this.plan = plan;
    this.server = server;
    this.loader = loader;
  }

  async run(): Promise<Figures> {
    const { proxies, endpoints, isPerProxy } = this.plan;
    const services = isPerProxy ? Math.min(ownServices, this.plan.services) : this.plan.services;
    const ready = await this.server.ask<ControlPlaneReady>({ ask: 'ready' });
    const before = await this.server.ask<Usage>({ ask: 'usage' });
    const loaderBefore = await this.loader.ask<Usage>({ ask: 'usage' });
    const began = machineMs();
    const withinMs = Math.min(connectWithinMs, proxies * 2.5);
    await this.loader.ask({ ask: 'connect', server: ready, proxies, withinMs, services });
    const waits: Promise<Latencies>[] = [];
    let progress = await this.progress();
    while (progress.ready < proxies && machineMs() - began < giveUpMs) {
      await pause(500);
      const change = await this.server.ask<Change>({ ask: 'change', kind: 'endpoint' });
      waits.push(this.latencies(change));
      progress = await this.progress();
    }
    const after = await this.server.ask<Usage>({ ask: 'usage' });
    const loaderAfter = await this.loader.ask<Usage>({ ask: 'usage' });
    const waited = (await Promise.all(waits)).map(slowest);
    const changes: ChangeFigures[] = [];
    for (const kind of kinds) changes.push(await this.change(kind));
    const churn = this.plan.churnSeconds > 0 ? await this.churn() : null;
    await pause(1000);
    const settled = await this.server.ask<Usage>({ ask: 'usage' });
    return {
      proxies,
      services: this.plan.services,
      endpoints,
      isPerProxy,
      served: progress.ready,
      firstStateMs: progress.lastReadyAt - began,
      firstStateCpuMs: after.cpuMs - before.cpuMs,
      loaderCpuMs: loaderAfter.cpuMs - loaderBefore.cpuMs,
      bytesPerProxy: progress.bytes / proxies,
      reconnects: (await this.progress()).reconnects,
      waitWhileConnectingMs: Math.max(0, ...waited),
      peakRssBytes: settled.peakRssBytes,
      settledRssBytes: settled.rssBytes,
      changes,
      churn,
    };
  }

  private async change(kind: ChangeKind): Promise<ChangeFigures> {
    const all: number[] = [];
    const before = await this.server.ask<Usage>({ ask: 'usage' });
    const bytesBefore = (await this.progress()).bytes;
    let missing = 0;
    for (let round = 0; round < this.plan.changes; round++) {
      const change = await this.server.ask<Change>({ ask: 'change', kind });
      const latencies = await this.latencies(change);
      all.push(...latencies.ms);
      missing += latencies.expected - latencies.ms.length;
      await pause(200);
    }
    const { cpuMs } = await this.server.ask<Usage>({ ask: 'usage' });
    const { bytes } = await this.progress();
    const { changes, proxies } = this.plan;
    all.sort((a, b) => a - b);
    return {
      kind,
      p50Ms: quantile(all, 0.5),
      p99Ms: quantile(all, 0.99),
      lastMs: all.at(-1) ?? Number.NaN,
      cpuMs: (cpuMs - before.cpuMs) / changes,
      bytesPerProxy: (bytes - bytesBefore) / changes / proxies,
      missing,
    };
  }

  /** While endpoints change without pause, one change in half a second is watched at all proxies. */
  private async churn(): Promise<ChurnFigures> {
    const { churnSeconds: seconds, churnRate: perSecond } = this.plan;
    const before = await this.server.ask<Usage>({ ask: 'usage' });
    const churn = { isOver: false };
    const done = this.server.ask<number>({ ask: 'churn', perSecond, seconds }).then((changes) => {
      churn.isOver = true;
      return changes;
    });
    const rssBytes: number[] = [];
    const waits: Promise<Latencies>[] = [];
    while (!churn.isOver) {
      await pause(500);
      waits.push(this.latencies(await this.server.ask<Change>({ ask: 'change', kind: 'endpoint' })));
      rssBytes.push((await this.server.ask<Usage>({ ask: 'usage' })).rssBytes);
    }
    const changes = await done;
    const latencies = await Promise.all(waits);
    const all = latencies.flatMap(({ ms }) => ms).sort((a, b) => a - b);
    const after = await this.server.ask<Usage>({ ask: 'usage' });
    return {
      changes,
      behindP99Ms: quantile(all, 0.99),
      behindMostMs: Math.max(...latencies.map(slowest)),
      cpuMs: after.cpuMs - before.cpuMs,
      rssBytes,
    };
  }

  private progress(): Promise<LoadProgress> {
    return this.loader.ask({ ask: 'progress' });
  }

  private latencies(change: Change): Promise<Latencies> {
    return this.loader.ask({ ask: 'latencies', change, timeoutMs: changeTimeoutMs });
  }
}

/** What never came took as long as it was waited for. */
function slowest({ expected, ms }: Latencies): number {
  return ms.length < expected ? changeTimeoutMs : (ms.at(-1) ?? 0);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
