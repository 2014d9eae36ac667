// What people apply in the simulation, and what it has to mean: the judge's own account of routing, written without the
// compiler that it judges.
import { versions } from './topology.ts';

/** Requests with this header are sent where `ServiceRules.testVersion` says. */
export const userHeader = 'x-user';
export const testUser = 'jason';

/** The rules of one service. */
export interface ServiceRules {
  /** Shares of the requests in percent, by version; versions that are absent get none. */
  readonly weights: Readonly<Record<string, number>>;
  /** Where requests of the test user go; null: as everybody's. */
  readonly testVersion: string | null;
}

/** Shares by version that a request of `user` must see. Without rules every instance is as good as another. */
export function expectedShares(rules: ServiceRules | null, user: string): ReadonlyMap<string, number> | null {
  if (rules === null) return null;
  if (user === testUser && rules.testVersion !== null) return new Map([[rules.testVersion, 1]]);
  return new Map(
    versions.flatMap((version) => {
      const weight = rules.weights[version] ?? 0;
      return weight === 0 ? [] : [[version, weight / 100] as const];
    }),
  );
}

/** Rules in force over time: from `appliedMs` on they may be seen, from `settledMs` on nothing else may be. */
interface Epoch {
  readonly appliedMs: number;
  settledMs: number;
  readonly rules: ServiceRules | null;
}

/** The history of one service's rules. */
export class RuleHistory {
  private readonly epochs: Epoch[] = [{ appliedMs: 0, settledMs: 0, rules: null }];

  /** New rules are about to be stored. */
  apply(rules: ServiceRules | null, nowMs: number): void {
    this.epochs.push({ appliedMs: nowMs, settledMs: Infinity, rules });
  }

  /** All sidecars have confirmed that they have the newest rules. */
  settle(nowMs: number): void {
    const last = this.epochs.at(-1)!;
    last.settledMs = Math.min(last.settledMs, nowMs);
  }

  /** Indexes of the epochs that a request routed between the two times may have seen. */
  possible(fromMs: number, toMs: number): number[] {
    return this.epochs.flatMap((epoch, index) => {
      const successor = this.epochs[index + 1];
      const mayBegin = epoch.appliedMs <= toMs;
      const mayLast = successor === undefined || successor.settledMs > fromMs;
      return mayBegin && mayLast ? [index] : [];
    });
  }

  rulesOf(epoch: number): ServiceRules | null {
    return this.epochs[epoch]!.rules;
  }
}

/** Istio's objects for a service (`service.namespace`): subsets by version, and a route for each group of requests. */
export function manifestOf(serviceName: string, rules: ServiceRules): string {
  const [name = '', namespace = ''] = serviceName.split('.');
  const subsets = versions.map((version) => `    - { name: ${version}, labels: { version: ${version} } }`);
  const shares = Object.entries(rules.weights).map(
    ([version, weight]) =>
      `        - { destination: { host: ${name}, subset: ${version} }, weight: ${weight} }`,
  );
  const test =
    rules.testVersion === null
      ? []
      : [
          `    - match: [{ headers: { ${userHeader}: { exact: ${testUser} } } }]`,
          '      route:',
          `        - { destination: { host: ${name}, subset: ${rules.testVersion} } }`,
        ];
  return [
    'apiVersion: networking.istio.io/v1',
    'kind: DestinationRule',
    `metadata: { name: ${name}, namespace: ${namespace} }`,
    'spec:',
    `  host: ${name}`,
    '  subsets:',
    ...subsets,
    '---',
    'apiVersion: networking.istio.io/v1',
    'kind: VirtualService',
    `metadata: { name: ${name}, namespace: ${namespace} }`,
    'spec:',
    `  hosts: [${name}]`,
    '  http:',
    ...test,
    '    - route:',
    ...shares,
    '---',
    '',
  ].join('\n');
}
