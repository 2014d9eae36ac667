// What is to be reached, for 1,000 services of 10 endpoints and 2,000 proxies that see them all.
import type { Figures } from './measure.ts';

interface Target {
  readonly name: string;
  readonly atMost: number;
  /** Undefined where it was not measured. */
  readonly pick: (figures: Figures) => number | undefined;
}

export interface Verdict {
  readonly name: string;
  readonly value: number;
  readonly atMost: number;
  readonly outcome: 'met' | 'missed';
}

const targets: readonly Target[] = [
  {
    name: 'seconds until all proxies have their first state',
    atMost: 25,
    pick: ({ served, proxies, firstStateMs }) => (served < proxies ? Infinity : firstStateMs / 1000),
  },
  {
    name: 'seconds a served proxy waits for a change meanwhile',
    atMost: 1,
    pick: ({ waitWhileConnectingMs }) => waitWhileConnectingMs / 1000,
  },
  { name: 'GiB of RSS at most', atMost: 0.8, pick: ({ peakRssBytes }) => peakRssBytes / 2 ** 30 },
  { name: 'seconds until an endpoint is everywhere, p99', atMost: 0.25, pick: p99Of('endpoint') },
  { name: 'seconds until a route is everywhere, p99', atMost: 0.6, pick: p99Of('route') },
  {
    name: 'seconds behind at 1,000 changes a second',
    atMost: 2,
    pick: ({ churn }) => (churn === null ? undefined : churn.behindMostMs / 1000),
  },
];

const perProxyTargets: readonly Target[] = [
  {
    name: 'seconds until all proxies have their first state, each something of its own',
    atMost: 45,
    pick: ({ served, proxies, firstStateMs }) => (served < proxies ? Infinity : firstStateMs / 1000),
  },
  {
    name: 'seconds until an endpoint is everywhere, p99, each proxy with something of its own',
    atMost: 0.5,
    pick: p99Of('endpoint'),
  },
];

function p99Of(kind: string): Target['pick'] {
  return ({ changes }) => {
    const one = changes.find((change) => change.kind === kind);
    if (one === undefined) return undefined;
    return one.missing > 0 ? Infinity : one.p99Ms / 1000;
  };
}

/** Judges the one size that targets are about; others have no verdict. */
export function judge(figures: Figures): Verdict[] {
  if (figures.proxies !== 2000 || figures.services !== 1000 || figures.endpoints !== 10) return [];
  return (figures.isPerProxy ? perProxyTargets : targets).flatMap(({ name, atMost, pick }) => {
    const value = pick(figures);
    if (value === undefined) return [];
    return [{ name, value, atMost, outcome: value <= atMost ? 'met' : 'missed' } as const];
  });
}

export function describeVerdict({ name, value, atMost, outcome }: Verdict): string {
  return `${outcome.padEnd(7)}${value.toFixed(2).padStart(7)}  ${name} (at most ${atMost})`;
}
