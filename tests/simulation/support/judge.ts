// What must hold of a run, judged from what was written down. Each function returns what contradicts it, in words.
import { expectedShares } from './routing-rules.ts';
import { lineOf, type RequestRecord } from './request-record.ts';
import type { SimulationRun } from './scenario.ts';
import { longestWayMs } from './simulated-mesh.ts';
import { ports, serviceNames } from './topology.ts';

/** Deviations of a share that chance explains: five standard deviations, and one request. */
const toleratedDeviations = 5;
/** A request is routed by its caller's sidecar this soon after it was begun: connecting within the node, reading the head. */
const routedWithinMs = 5;

/** Requests that failed because an instance died: those on their way to it, and those it had asked itself. */
export function crashVictims({ mesh, timeline }: SimulationRun): RequestRecord[] {
  const { id, crashMs } = timeline.crashed;
  const service = serviceOf(mesh.workload(id).plan);
  return mesh.traffic.records.filter(({ source, target, startMs, outcome }) => {
    if (outcome === null) return source === id && startMs <= crashMs;
    // Until the reset has arrived everywhere, requests are sent to the dead.
    const wasUnderWay = startMs <= crashMs + longestWayMs && outcome.endMs >= crashMs;
    return outcome.status !== 200 && target === service && wasUnderWay;
  });
}

/** Requests without an orderly answer, but for those. */
export function findFailures(run: SimulationRun): string[] {
  const excused = new Set(crashVictims(run));
  return run.mesh.traffic.records
    .filter((record) => record.outcome?.status !== 200 && !excused.has(record))
    .map(lineOf);
}

/** Answers to another request, or bodies that changed on the way. */
export function findWrongAnswers({ mesh }: SimulationRun): string[] {
  return mesh.traffic.records
    .filter(({ target, requestHash, outcome }) => {
      if (outcome?.status !== 200) return false;
      const { echo, responseHash } = outcome;
      return (
        echo?.service !== target || echo.requestHash !== requestHash || echo.responseHash !== responseHash
      );
    })
    .map(lineOf);
}

/** Answers of versions that no rules in force allow. */
export function findMisrouted({ mesh }: SimulationRun): string[] {
  return mesh.traffic.records
    .filter(({ target, user, startMs, outcome }) => {
      const version = outcome?.echo?.version;
      if (version === undefined) return false;
      const history = mesh.rules.get(target)!;
      return !history
        .possible(startMs, startMs + routedWithinMs)
        .some((epoch) => expectedShares(history.rulesOf(epoch), user)?.has(version) ?? true);
    })
    .map(lineOf);
}

/** Shares that are further from the weights than chance explains. */
export function findSkewedShares({ mesh, timeline }: SimulationRun): string[] {
  const groups = new Map<string, { counts: Map<string, number>; expected: ReadonlyMap<string, number> }>();
  const count = (group: string, what: string, expected: ReadonlyMap<string, number>): void => {
    const { counts } = groups.get(group) ?? { counts: new Map<string, number>() };
    groups.set(group, { counts, expected });
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  for (const { target, user, startMs, outcome } of mesh.traffic.records) {
    if (outcome?.status !== 200 || outcome.echo === null) continue;
    const history = mesh.rules.get(target)!;
    const [epoch, ...others] = history.possible(startMs, startMs + routedWithinMs);
    if (epoch === undefined || others.length > 0) continue;
    const shares = expectedShares(history.rulesOf(epoch), user);
    if (shares !== null) {
      count(`${target}, rules ${epoch}, user "${user}"`, outcome.echo.version, shares);
    } else if (startMs < timeline.firstRulesMs) {
      count(`${target}, without rules`, outcome.echo.instance, equalShares(mesh, target));
    }
  }
  return [...groups].flatMap(([group, { counts, expected }]) =>
    skewOf(counts, expected).map((skew) => `${group}: ${skew}`),
  );
}

/** Answers per instance to requests that were begun at `fromMs` or later. */
export function countRequestsByInstance({ mesh }: SimulationRun, fromMs: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { startMs, outcome } of mesh.traffic.records) {
    const instance = outcome?.echo?.instance;
    if (instance === undefined || startMs < fromMs) continue;
    counts.set(instance, (counts.get(instance) ?? 0) + 1);
  }
  return counts;
}

/** Requests and connections to instances that everybody else knew to be gone. */
export function findVisitsToTheGone(run: SimulationRun): string[] {
  const { withdrawn, crashed, outage } = run.timeline;
  return [
    ...findVisits(run, withdrawn.id, withdrawn.acknowledgedMs, Infinity),
    // Restarted without a control plane, it is known to nobody but itself until that is back.
    ...findVisits(run, crashed.id, crashed.forgottenMs, outage.endMs),
  ];
}

function findVisits({ mesh }: SimulationRun, id: string, fromMs: number, toMs: number): string[] {
  const address = `${mesh.workload(id).plan.address}:${ports.inbound}`;
  const isWithin = (ms: number): boolean => ms > fromMs && ms < toMs;
  const connects = mesh.connects
    .filter(({ from, to, atMs }) => from !== id && to === address && isWithin(atMs))
    .map(({ from, atMs }) => `${from} connected to ${id} at ${atMs.toFixed(3)}`);
  const requests = mesh.traffic.records
    .filter(
      ({ source, startMs, outcome }) => source !== id && outcome?.echo?.instance === id && isWithin(startMs),
    )
    .map(lineOf);
  return [...connects, ...requests];
}

function serviceOf({ service, namespace }: { readonly service: string; readonly namespace: string }): string {
  return `${service}.${namespace}`;
}

function equalShares(mesh: SimulationRun['mesh'], serviceName: string): ReadonlyMap<string, number> {
  const instances = mesh.workloads.filter(({ plan }) => serviceOf(plan) === serviceName);
  return new Map(instances.map(({ plan }) => [plan.id, 1 / instances.length]));
}

function skewOf(counts: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): string[] {
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  return [...expected].flatMap(([what, share]) => {
    const count = counts.get(what) ?? 0;
    const tolerated = toleratedDeviations * Math.sqrt(total * share * (1 - share)) + 1;
    return Math.abs(count - total * share) <= tolerated
      ? []
      : [
          `${count} of ${total} went to ${what}, expected ${(total * share).toFixed(0)} ± ${tolerated.toFixed(0)}`,
        ];
  });
}

/** Requests per service, to show that the run says something about each. */
export function countByService({ mesh }: SimulationRun): ReadonlyMap<string, number> {
  const counts = new Map(serviceNames.map((name) => [name, 0]));
  for (const { target } of mesh.traffic.records) counts.set(target, counts.get(target)! + 1);
  return counts;
}

/** All that contradicts what must hold of every run. */
export function contradictions(run: SimulationRun): string[] {
  const { withdrawn } = run.timeline;
  return [
    ...findFailures(run),
    ...findWrongAnswers(run),
    ...findMisrouted(run),
    ...findSkewedShares(run),
    ...findVisitsToTheGone(run),
    ...(withdrawn.isAcknowledged ? [] : [`the withdrawal of ${withdrawn.id} was not confirmed`]),
    ...run.inFlight,
    ...run.leaks,
  ];
}
