// Hot path: `onFinished` runs per request; series are resolved when a peer, cluster or status is seen for the first time.
import type { Counter, Histogram, Labels, MetricRegistry, MetricScope } from '@heddle/telemetry';
import { parseSpiffeId, spiffeIdParts } from '@heddle/identity';
import type { ExchangeObserver } from '../http/http-settings.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';

/** What the workload says of itself in every series. */
export interface WorkloadLabels {
  readonly service: string;
  readonly namespace: string;
  readonly version: string;
  /** SPIFFE id. */
  readonly principal: string;
}

/** Which side of a request a listener is: the caller's sidecar reports as source, the callee's as destination. */
export type Reporter = 'source' | 'destination';

/** Names of Istio's standard metrics. */
export const requestsTotalName = 'istio_requests_total';
export const requestDurationName = 'istio_request_duration_milliseconds';

/** True for the families that the control plane is told of. */
export function isTrafficMetric(name: string): boolean {
  return name.startsWith('istio_');
}

interface Series {
  readonly requests: Counter;
  readonly duration: Histogram;
}

/** Peers beyond this many share one series: callers must not be able to fill the memory with identities. */
const maxPeers = 1_000;
const unknown = 'unknown';

/** The series of one peer (as destination) or one cluster (as source), by status and, where something went wrong, flags. */
class PeerSeries {
  private readonly byStatus = new Map<number, Series>();
  private readonly byFlags = new Map<string, Series>();
  private readonly create: (status: number, flags: string) => Series;

  constructor(create: (status: number, flags: string) => Series) {
    this.create = create;
  }

  get(status: number, flags: string): Series {
    if (flags === '-') {
      const known = this.byStatus.get(status);
      if (known !== undefined) return known;
      const series = this.create(status, flags);
      this.byStatus.set(status, series);
      return series;
    }
    const key = `${status} ${flags}`;
    const known = this.byFlags.get(key);
    if (known !== undefined) return known;
    const series = this.create(status, flags);
    this.byFlags.set(key, series);
    return series;
  }
}

/** Counts requests and their durations under Istio's names and labels. */
export class TrafficMetrics implements ExchangeObserver {
  private readonly scope: MetricScope;
  private readonly reporter: Reporter;
  private readonly own: WorkloadLabels;
  private readonly peers = new Map<string, PeerSeries>();

  constructor(registry: MetricRegistry, reporter: Reporter, own: WorkloadLabels) {
    this.scope = registry.scope();
    this.reporter = reporter;
    this.own = own;
  }

  onFinished(exchange: ExchangeRecord): void {
    const key = this.reporter === 'destination' ? exchange.downstreamPeerUriSan : exchange.upstreamCluster;
    const peer = this.peers.get(key) ?? this.addPeer(key);
    const series = peer.get(exchange.responseCode, exchange.responseFlags);
    series.requests.value++;
    series.duration.observe(exchange.durationMs);
  }

  close(): void {
    this.scope.close();
  }

  private addPeer(key: string): PeerSeries {
    const name = this.peers.size < maxPeers ? key : '';
    const labels = this.reporter === 'destination' ? this.labelsOfCaller(name) : this.labelsOfCluster(name);
    const peer = new PeerSeries((status, flags) => this.createSeries(labels, status, flags));
    if (name === key) this.peers.set(key, peer);
    else this.peers.set('', this.peers.get('') ?? peer);
    return this.peers.get(name) ?? peer;
  }

  private createSeries(peer: Labels, status: number, flags: string): Series {
    const labels = {
      ...peer,
      reporter: this.reporter,
      request_protocol: 'http',
      response_code: String(status),
      response_flags: flags,
    };
    return {
      requests: this.scope.counter(requestsTotalName, 'Requests by caller, callee and outcome.', labels),
      duration: this.scope.histogram(requestDurationName, 'Duration of requests in milliseconds.', labels),
    };
  }

  private labelsOfCaller(principal: string): Labels {
    const id = parseSpiffeId(principal);
    const caller = id.ok ? spiffeIdParts(id.value) : null;
    return {
      ...this.ownLabels('destination'),
      destination_service: serviceHost(this.own.service, this.own.namespace),
      destination_service_name: this.own.service,
      destination_service_namespace: this.own.namespace,
      source_workload: caller?.serviceAccount ?? unknown,
      source_workload_namespace: caller?.namespace ?? unknown,
      source_principal: principal === '' ? unknown : principal,
      connection_security_policy: principal === '' ? 'none' : 'mutual_tls',
    };
  }

  private labelsOfCluster(cluster: string): Labels {
    // `outbound|<port>|<subset>|<host>`; anything else (pass-through, none) has no service.
    const [direction, , subset, host = ''] = cluster.split('|');
    const [name = '', namespace = ''] = host.split('.');
    const isService = direction === 'outbound' && namespace !== '';
    return {
      ...this.ownLabels('source'),
      destination_service: isService ? host : cluster === '' ? unknown : cluster,
      destination_service_name: isService ? name : cluster === '' ? unknown : cluster,
      destination_service_namespace: isService ? namespace : unknown,
      destination_version: isService && subset !== undefined && subset !== '' ? subset : unknown,
      connection_security_policy: unknown,
    };
  }

  private ownLabels(side: Reporter): Labels {
    const { service, namespace, version, principal } = this.own;
    return {
      [`${side}_workload`]: version === '' ? service : `${service}-${version}`,
      [`${side}_workload_namespace`]: namespace,
      [`${side}_principal`]: principal,
      [`${side}_app`]: service,
      [`${side}_version`]: version === '' ? unknown : version,
      [`${side}_canonical_service`]: service,
      [`${side}_canonical_revision`]: version === '' ? 'latest' : version,
    };
  }
}

function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc.cluster.local`;
}
