// The whole mesh in one process under a virtual clock, and what it writes down.
import { createHash } from 'node:crypto';
import { createLogger, type Logger } from '@heddle/base';
import { InMemoryNetwork, SeededRandom, type SimulatedNode, VirtualClock } from '@heddle/testkit';
import { ControlPlaneProcess } from './control-plane-process.ts';
import type { ConnectAttempt } from './observed-transport.ts';
import { lineOf } from './request-record.ts';
import { manifestOf, RuleHistory, type ServiceRules } from './routing-rules.ts';
import { type InstancePlan, planInstances, serviceNames } from './topology.ts';
import { Traffic } from './traffic.ts';
import { Workload } from './workload.ts';

/** Conditions that are worse than those of one machine, so that orders get mixed up. */
const conditions = { latencyMs: 0.3, jitterMs: 1.7, loopbackMs: 0.02, windowBytes: 16_384 } as const;
/** A message is at its receiver after this time at the latest, counted from any sender. */
export const longestWayMs = conditions.latencyMs + conditions.jitterMs;

const meanGapMs = 250;
/** How often a condition is looked at. */
const lookEveryMs = 5;

export class SimulatedMesh {
  readonly clock = new VirtualClock();
  readonly controlPlane: ControlPlaneProcess;
  readonly workloads: readonly Workload[];
  readonly traffic: Traffic;
  readonly rules = new Map(serviceNames.map((name) => [name, new RuleHistory()]));
  /** The log: what was asked, what happened, and what the processes said. */
  readonly lines: string[] = [];
  readonly connects: ConnectAttempt[] = [];
  readonly network: InMemoryNetwork;
  readonly random: SeededRandom;
  /** How to end what each application sends. */
  private readonly senders = new Map<string, () => void>();

  /** `isWanted` picks a part of the instances; all by default. */
  constructor(seed: number, isWanted: (plan: InstancePlan) => boolean = () => true) {
    this.random = new SeededRandom(seed);
    this.network = new InMemoryNetwork({ clock: this.clock, seed, splitReads: true, ...conditions });
    const logger = (node: SimulatedNode): Logger => this.loggerOf(node);
    this.controlPlane = new ControlPlaneProcess(this.network, logger);
    this.traffic = new Traffic({
      random: this.random.fork('traffic'),
      meanGapMs,
      nowMs: () => this.nowMs,
      onFinished: (record) => this.lines.push(lineOf(record)),
    });
    this.workloads = planInstances(this.random.fork('topology'))
      .filter(isWanted)
      .map(
        (plan) =>
          new Workload(plan, {
            network: this.network,
            random: this.random.fork('workloads'),
            logger,
            onConnect: (from, to) => this.connects.push({ atMs: this.nowMs, from, to }),
          }),
      );
  }

  get nowMs(): number {
    return this.clock.monotonic();
  }

  workload(id: string): Workload {
    const found = this.workloads.find(({ plan }) => plan.id === id);
    if (found === undefined) throw new Error(`there is no instance ${id}`);
    return found;
  }

  /** Writes a line about something that the scenario did or saw. */
  note(text: string): void {
    this.lines.push(`${this.nowMs.toFixed(3)} ${text}`);
  }

  /** Starts an instance and lets its application send. */
  start(workload: Workload): void {
    workload.start();
    this.senders.set(workload.plan.id, this.traffic.drive(workload));
  }

  /** Lets the application of an instance send no more. */
  silence({ plan }: Workload): void {
    this.senders.get(plan.id)?.();
  }

  /** Lets virtual time pass until `condition` holds; returns how long that took. */
  async until(what: string, condition: () => boolean, limitMs: number): Promise<number> {
    const started = this.nowMs;
    while (!condition()) {
      if (this.nowMs - started > limitMs) {
        throw new Error(`after ${limitMs} virtual milliseconds it still does not hold: ${what}`);
      }
      await this.clock.advanceAsync(lookEveryMs);
    }
    const tookMs = this.nowMs - started;
    this.note(`${what} after ${tookMs.toFixed(0)} ms`);
    return tookMs;
  }

  /** Every running instance is published, and every sidecar knows them all. */
  get isComplete(): boolean {
    const running = this.workloads.filter(({ isRunning }) => isRunning);
    return running.every(({ isPublished }) => isPublished) && this.isSynced;
  }

  /** Every running sidecar is connected, has all that there is for it, and has confirmed it. */
  get isSynced(): boolean {
    const running = this.workloads.filter(({ isRunning }) => isRunning);
    const clients = this.controlPlane.core.ads.status();
    return (
      clients.length === running.length &&
      clients.every(
        ({ types, rejected }) => rejected.length === 0 && [...types.values()].every(({ synced }) => synced),
      )
    );
  }

  /** Applies rules for services (`null`: takes them away), and waits until all sidecars have confirmed them. */
  async applyRules(rules: ReadonlyMap<string, ServiceRules | null>): Promise<void> {
    const { configuration } = this.controlPlane.core;
    const text = (wanted: boolean): string =>
      [...rules]
        .filter(([, one]) => (one !== null) === wanted)
        .map(([name, one]) => manifestOf(name, one ?? anyRules))
        .join('');
    const request = (content: string): { files: { name: string; text: string }[]; namespace: string } => ({
      files: [{ name: 'rules.yaml', text: content }],
      namespace: 'default',
    });
    for (const [name, one] of rules) this.rules.get(name)!.apply(one, this.nowMs);
    const applied = await configuration.apply({ ...request(text(true)), strict: true }, 'simulation');
    if (!applied.ok) throw new Error(JSON.stringify(applied.error));
    if (text(false) !== '') {
      const deleted = await configuration.delete(request(text(false)), 'simulation');
      if (!deleted.ok) throw new Error(JSON.stringify(deleted.error));
    }
    await this.until(`rules of ${[...rules.keys()].join(', ')} confirmed`, () => this.isSynced, 10_000);
    for (const name of rules.keys()) this.rules.get(name)!.settle(this.nowMs);
  }

  /** A digest of the whole log. */
  get digest(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex');
  }

  private loggerOf(node: SimulatedNode): Logger {
    return createLogger({
      level: 'debug',
      clock: node.clock,
      sink: (line) => {
        if (node.isAlive) this.lines.push(`${this.nowMs.toFixed(3)} ${node.name} ${line.trimEnd()}`);
      },
    });
  }
}

/** Only its names count where rules are taken away. */
const anyRules: ServiceRules = { weights: { v1: 100 }, testVersion: null };
