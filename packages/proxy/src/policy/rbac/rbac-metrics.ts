import type { Counter, Labels, MetricScope } from '@heddle/telemetry';
import type { RbacConfig } from './rbac-config.ts';

type Outcome = 'allowed' | 'denied' | 'shadow_allowed' | 'shadow_denied';

const help: Readonly<Record<Outcome, string>> = {
  allowed: 'What policies let pass.',
  denied: 'What policies refused.',
  shadow_allowed: 'What policies in a dry run would have let pass.',
  shadow_denied: 'What policies in a dry run would have refused.',
};

/** An RBAC filter's counts under Envoy's names: `<where it stands>.rbac.<prefix>allowed` and so on. */
export class RbacMetrics {
  private readonly allowed: Counter;
  private readonly denied: Counter;
  private readonly shadowAllowed: Counter;
  private readonly shadowDenied: Counter;
  private readonly create: (outcome: Outcome, policy: string | null) => Counter;
  private readonly byPolicy = new Map<string, Counter>();

  constructor(create: (outcome: Outcome, policy: string | null) => Counter) {
    this.create = create;
    this.allowed = create('allowed', null);
    this.denied = create('denied', null);
    this.shadowAllowed = create('shadow_allowed', null);
    this.shadowDenied = create('shadow_denied', null);
  }

  /** Counts what was enforced; `policy` is the name of the one that matched, empty for none or where nobody asks. */
  countEnforced(isAllowed: boolean, policy: string): void {
    (isAllowed ? this.allowed : this.denied).value++;
    if (policy !== '') this.ofPolicy(isAllowed ? 'allowed' : 'denied', policy).value++;
  }

  /** Counts what a dry run would have done. */
  countShadow(isAllowed: boolean, policy: string): void {
    (isAllowed ? this.shadowAllowed : this.shadowDenied).value++;
    if (policy !== '') this.ofPolicy(isAllowed ? 'shadow_allowed' : 'shadow_denied', policy).value++;
  }

  /** There are as many as the configuration has policies. */
  private ofPolicy(outcome: Outcome, policy: string): Counter {
    const key = `${outcome} ${policy}`;
    let counter = this.byPolicy.get(key);
    if (counter === undefined) {
      counter = this.create(outcome, policy);
      this.byPolicy.set(key, counter);
    }
    return counter;
  }
}

/** Of an HTTP filter: `http.<stat_prefix>.rbac.<prefix>[policy.<name>.]allowed`. */
export function httpRbacMetrics(
  scope: MetricScope,
  statPrefix: string,
  { statPrefix: enforced, shadowStatPrefix: shadow }: RbacConfig,
): RbacMetrics {
  return new RbacMetrics((outcome, policy) => {
    const prefix = outcome.startsWith('shadow') ? shadow : enforced;
    const labels: Labels = {
      envoy_http_conn_manager_prefix: statPrefix,
      ...(prefix === '' ? {} : { envoy_rbac_http_prefix: prefix }),
      ...(policy === null ? {} : { envoy_rbac_policy_name: policy }),
    };
    return scope.counter(
      `envoy_http_rbac_${policy === null ? '' : 'policy_'}${outcome}`,
      help[outcome],
      labels,
    );
  });
}

/** Of a network filter: `<stat_prefix>.rbac.allowed`, `<stat_prefix>.rbac.<prefix>shadow_allowed`. */
export function networkRbacMetrics(
  scope: MetricScope,
  statPrefix: string,
  { shadowStatPrefix: shadow }: RbacConfig,
): RbacMetrics {
  return new RbacMetrics((outcome) => {
    const hasPrefix = outcome.startsWith('shadow') && shadow !== '';
    const labels: Labels = {
      envoy_rbac_prefix: statPrefix,
      ...(hasPrefix ? { envoy_rbac_shadow_prefix: shadow } : {}),
    };
    return scope.counter(`envoy_rbac_${outcome}`, help[outcome], labels);
  });
}
