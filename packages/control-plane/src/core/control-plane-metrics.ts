/** The control plane's own metrics, under Istio's names so that its dashboards fit. */
import type { Clock } from '@heddle/base';
import { formatPrometheus, MetricRegistry, type Counter, type Histogram } from '@heddle/telemetry';
import type { XdsClient } from '@heddle/xds';
import { xdsTypeName } from './xds-type-name.ts';

/** Bounds in seconds, as Istio's. */
const convergenceBuckets = [0.1, 0.5, 1, 3, 5, 10, 20, 30];

/** What is counted only when somebody looks. */
export interface Gauges {
  readonly proxies: number;
  readonly instances: number;
  readonly services: number;
  readonly virtualServices: number;
  readonly destinationRules: number;
  readonly rootExpiresInSeconds: number;
}

export class ControlPlaneMetrics {
  private readonly clock: Clock;
  private readonly registry = new MetricRegistry();
  private readonly scope = this.registry.scope();
  private readonly convergence: Histogram;
  private readonly csrs: Counter;
  private readonly issued: Counter;
  private readonly rejects: Counter;
  private readonly triggers: Counter;
  /** Monotonic time of the last change that may concern proxies; -1 before the first. */
  private changedAt = -1;
  /** Clients that have confirmed something since the last change. */
  private converged = new WeakSet<XdsClient>();

  constructor(clock: Clock) {
    this.clock = clock;
    this.convergence = this.scope.histogram(
      'pilot_proxy_convergence_time',
      'Seconds from a change to the first confirmation of a proxy that it concerns.',
      {},
      convergenceBuckets,
    );
    this.csrs = this.scope.counter('citadel_server_csr_count', 'Certificate requests received.');
    this.issued = this.scope.counter(
      'citadel_server_success_cert_issuance_count',
      'Certificates renewed for workloads.',
    );
    this.rejects = this.scope.counter('pilot_total_xds_rejects', 'Responses that proxies refused.');
    this.triggers = this.scope.counter('pilot_push_triggers', 'Changes that may concern proxies.');
  }

  noteChange(): void {
    this.triggers.value++;
    this.changedAt = this.clock.monotonic();
    this.converged = new WeakSet();
  }

  noteSent(typeUrl: string): void {
    this.scope.counter('pilot_xds_pushes', 'Responses sent to proxies.', { type: label(typeUrl) }).value++;
  }

  noteAcknowledged(client: XdsClient): void {
    if (this.changedAt < 0 || this.converged.has(client)) return;
    this.converged.add(client);
    this.convergence.observe((this.clock.monotonic() - this.changedAt) / 1000);
  }

  noteRejected(typeUrls: ReadonlySet<string>): void {
    this.rejects.value++;
    for (const typeUrl of typeUrls) {
      const type = label(typeUrl);
      this.scope.counter(`pilot_xds_${type}_reject`, `Responses of type ${type} that proxies refused.`)
        .value++;
    }
  }

  noteCertificateRequest(): void {
    this.csrs.value++;
  }

  noteCertificateIssued(): void {
    this.issued.value++;
  }

  /** Prometheus's text format. */
  format(gauges: Gauges): string {
    const set = (name: string, help: string, value: number): void => {
      this.scope.gauge(name, help).value = value;
    };
    set('pilot_xds', 'Proxies connected.', gauges.proxies);
    set('pilot_services', 'Services known.', gauges.services);
    set('pilot_virt_services', 'Virtual services stored.', gauges.virtualServices);
    set('heddle_destination_rules', 'Destination rules stored.', gauges.destinationRules);
    set('heddle_instances', 'Instances published.', gauges.instances);
    set(
      'citadel_server_root_cert_expiry_seconds',
      'Seconds until the root certificate expires.',
      gauges.rootExpiresInSeconds,
    );
    return formatPrometheus(this.registry.collect());
  }
}

function label(typeUrl: string): string {
  return xdsTypeName(typeUrl) ?? 'other';
}
