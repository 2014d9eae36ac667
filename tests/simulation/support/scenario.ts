// What happens to the simulated mesh, in this order, with the details drawn from the seed.
import type { SeededRandom } from '@heddle/testkit';
import type { ServiceRules } from './routing-rules.ts';
import { SimulatedMesh } from './simulated-mesh.ts';
import { serviceNames, versions, versionWithOneInstance } from './topology.ts';
import type { Workload } from './workload.ts';

/** Times on the simulation's clock at which something was certain. */
export interface Timeline {
  /** Requests began; every instance was known to every sidecar. */
  trafficMs: number;
  /** First rules. */
  firstRulesMs: number;
  withdrawn: { id: string; acknowledgedMs: number; isAcknowledged: boolean; requestsLeft: number };
  crashed: {
    id: string;
    crashMs: number;
    /** No sidecar has the endpoint any more. */
    forgottenMs: number;
    restartMs: number;
    /** Every sidecar has the endpoint again. */
    knownAgainMs: number;
  };
  outage: { startMs: number; endMs: number; resyncedMs: number };
  endMs: number;
}

export interface SimulationRun {
  readonly seed: number;
  readonly mesh: SimulatedMesh;
  readonly timeline: Timeline;
  /** What was left after the last reply, and after everything was closed; in words, empty for nothing. */
  readonly inFlight: readonly string[];
  readonly leaks: readonly string[];
}

/** Longest time from a broken stream to the last sidecar's confirmation: grace, one check, the update. */
const graceMs = 2000;

export async function runScenario(seed: number): Promise<SimulationRun> {
  const mesh = new SimulatedMesh(seed);
  const random = mesh.random.fork('scenario');
  const timeline = emptyTimeline();

  await mesh.controlPlane.start();
  for (const workload of mesh.workloads) {
    mesh.start(workload);
    await mesh.clock.advanceAsync(random.integer(0, 40));
  }
  await mesh.until('all instances published and known', () => mesh.isComplete, 10_000);

  timeline.trafficMs = mesh.nowMs;
  mesh.traffic.start();
  await mesh.clock.advanceAsync(4000);

  timeline.firstRulesMs = mesh.nowMs;
  await mesh.applyRules(drawRules(random, serviceNames));
  await mesh.clock.advanceAsync(7000);

  const replaceable = mesh.workloads.filter(({ plan }) => plan.version !== versionWithOneInstance);
  const leaving = random.pick(replaceable);
  await withdraw(mesh, leaving, timeline);
  await mesh.clock.advanceAsync(1000);

  const others = replaceable.filter(({ plan }) => plan.service !== leaving.plan.service);
  const dying = await crashOneAtWork(mesh, others, timeline);
  await mesh.clock.advanceAsync(1000);

  timeline.outage.startMs = mesh.nowMs;
  mesh.controlPlane.crash();
  mesh.note('the control plane died');
  await mesh.clock.advanceAsync(random.integer(800, 2000));
  await restart(mesh, dying, timeline);
  await mesh.clock.advanceAsync(random.integer(800, 2000));
  timeline.outage.endMs = mesh.nowMs;
  await mesh.controlPlane.start();
  mesh.note('the control plane is back');
  // The longest pause between two attempts of a sidecar is 10 s.
  await mesh.until('all instances published and known again', () => mesh.isComplete, 15_000);
  timeline.outage.resyncedMs = mesh.nowMs;
  timeline.crashed.knownAgainMs = mesh.nowMs;
  await mesh.clock.advanceAsync(1000);

  await mesh.applyRules(drawRules(random, serviceNames.slice(0, 5)));
  await mesh.applyRules(new Map(serviceNames.slice(5, 7).map((name) => [name, null])));
  await mesh.clock.advanceAsync(4000);

  mesh.traffic.stop();
  for (const workload of mesh.workloads) mesh.silence(workload);
  await mesh.clock.advanceAsync(2000);
  timeline.endMs = mesh.nowMs;
  const inFlight = findInFlight(mesh);
  const leaks = await closeAll(mesh);
  return { seed, mesh, timeline, inFlight, leaks };
}

/** New weights and perhaps a header match for each service. */
function drawRules(random: SeededRandom, names: readonly string[]): Map<string, ServiceRules> {
  return new Map(
    names.map((name) => {
      const share = random.integer(1, 9) * 10;
      const weights = random.chance(0.2) ? { v1: 100 } : { v1: share, v2: 100 - share };
      return [name, { weights, testVersion: random.chance(0.7) ? random.pick(versions) : null }];
    }),
  );
}

async function withdraw(mesh: SimulatedMesh, workload: Workload, { withdrawn }: Timeline): Promise<void> {
  const { id } = workload.plan;
  mesh.note(`${id} withdraws`);
  mesh.silence(workload);
  let isOver = false;
  void workload
    .stop((isAcknowledged) => {
      mesh.note(`${id} is withdrawn`);
      Object.assign(withdrawn, { id, acknowledgedMs: mesh.nowMs, isAcknowledged });
    })
    .then(async (requestsLeft) => {
      withdrawn.requestsLeft = requestsLeft;
      await workload.close();
      isOver = true;
    });
  await mesh.until(`${id} has ended`, () => isOver, 12_000);
}

/** The first of them to have this many requests at once dies with them. */
const requestsToDieWith = 2;

async function crashOneAtWork(
  mesh: SimulatedMesh,
  candidates: readonly Workload[],
  { crashed }: Timeline,
): Promise<Workload> {
  const atWork = (): Workload | undefined =>
    candidates.find(({ process }) => process.application.busy >= requestsToDieWith);
  await mesh.until('an instance has several requests', () => atWork() !== undefined, 20_000);
  const workload = atWork()!;
  const { id } = workload.plan;
  crashed.id = id;
  crashed.crashMs = mesh.nowMs;
  mesh.note(`${id} dies`);
  workload.crash();
  const { leases } = mesh.controlPlane.core;
  const isForgotten = (): boolean => leases.get(id) === undefined && mesh.isSynced;
  await mesh.until(`${id} is forgotten`, isForgotten, graceMs + 1000);
  crashed.forgottenMs = mesh.nowMs;
  return workload;
}

async function restart(mesh: SimulatedMesh, workload: Workload, { crashed }: Timeline): Promise<void> {
  const { id } = workload.plan;
  crashed.restartMs = mesh.nowMs;
  mesh.start(workload);
  await mesh.until(`${id} serves again`, () => workload.ready !== null, 1000);
  if (workload.ready?.source !== 'snapshot') throw new Error(`${id} does not serve from its snapshot`);
}

/** After the last reply. */
function findInFlight(mesh: SimulatedMesh): string[] {
  const found: string[] = [];
  for (const workload of mesh.workloads.filter(({ isRunning }) => isRunning)) {
    const { client, sidecar, application } = workload.process;
    const { proxy } = sidecar;
    const counts: Readonly<Record<string, number>> = {
      'requests of the client': client.inFlight,
      'requests in the sidecar': proxy.listeners.busy,
      'requests in the application': application.busy,
      'requests counted as active': activeRequests(workload),
    };
    for (const [what, count] of Object.entries(counts)) {
      if (count !== 0) found.push(`${workload.plan.id}: ${count} ${what}`);
    }
  }
  return found;
}

/** By the endpoints' and the metrics' own account. */
function activeRequests({ process }: Workload): number {
  const { proxy } = process.sidecar;
  let count = 0;
  for (const cluster of proxy.config.clusters.built()) {
    for (const endpoint of cluster.endpoints) count += endpoint.activeRequests;
  }
  for (const family of proxy.registry.collect()) {
    if (!family.name.endsWith('_rq_active') || family.type !== 'gauge') continue;
    for (const { value } of family.samples) count += value;
  }
  return count;
}

/** Closes everything in order; returns what is left. */
async function closeAll(mesh: SimulatedMesh): Promise<string[]> {
  const nodes = mesh.workloads.flatMap((workload) => (workload.isRunning ? [workload.process.node] : []));
  let isClosed = false;
  void Promise.all(
    mesh.workloads.filter(({ isRunning }) => isRunning).map((workload) => workload.close()),
  ).then(() => {
    isClosed = true;
  });
  await mesh.until('all instances have ended', () => isClosed, 5000);
  await mesh.controlPlane.close();
  await mesh.clock.advanceAsync(1000);
  const leaks = nodes
    .filter(({ openConnections }) => openConnections > 0)
    .map(({ name, openConnections }) => `${name}: ${openConnections} connections`);
  if (mesh.clock.pendingTimers > 0) leaks.push(`${mesh.clock.pendingTimers} timers`);
  return leaks;
}

function emptyTimeline(): Timeline {
  return {
    trafficMs: 0,
    firstRulesMs: 0,
    withdrawn: { id: '', acknowledgedMs: 0, isAcknowledged: false, requestsLeft: 0 },
    crashed: { id: '', crashMs: 0, forgottenMs: 0, restartMs: 0, knownAgainMs: 0 },
    outage: { startMs: 0, endMs: 0, resyncedMs: 0 },
    endMs: 0,
  };
}
