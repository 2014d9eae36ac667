// Hot path: `onFinished` runs per request; series are resolved when a peer, cluster or status is seen for the first time.
import type { Counter, Histogram, Labels, MetricRegistry, MetricScope } from '@heddle/telemetry';
import { parseSpiffeId, spiffeIdParts } from '@heddle/identity';
import type { ExchangeObserver } from '../http/http-settings.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import type { MessageTotals } from '../grpc/grpc-call.ts';
import { GrpcStatus, lastKnownStatus } from '../grpc/status.ts';

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
export const requestMessagesName = 'istio_request_messages_total';
export const responseMessagesName = 'istio_response_messages_total';
export const connectionsOpenedName = 'istio_tcp_connections_opened_total';
export const connectionsClosedName = 'istio_tcp_connections_closed_total';
export const bytesReceivedName = 'istio_tcp_received_bytes_total';
export const bytesSentName = 'istio_tcp_sent_bytes_total';

/** True for the families that the control plane is told of. */
export function isTrafficMetric(name: string): boolean {
  return name.startsWith('istio_');
}

/** By whom and to whom something went. */
export type TrafficPeer = Pick<ExchangeRecord, 'downstreamPeerUriSan' | 'upstreamCluster'>;

/** The TCP connections of one peer (as destination) or to one cluster (as source), for as long as they last. */
export interface ConnectionTotals {
  readonly opened: Counter;
  readonly closed: Counter;
  /** Bytes from the caller. */
  readonly received: Counter;
  /** Bytes to the caller. */
  readonly sent: Counter;
}

interface Series {
  readonly requests: Counter;
  readonly duration: Histogram;
}

/** Peers beyond this many share one series: callers must not be able to fill the memory with identities. */
const maxPeers = 1_000;
const unknown = 'unknown';

/** How something has ended: the labels that tell a peer's series apart. */
interface Outcome {
  readonly status: number;
  readonly flags: string;
  readonly isGrpc: boolean;
  /** -1 where there is none. */
  readonly grpcStatus: number;
}

/** The series of one peer (as destination) or one cluster (as source), by how requests ended. */
class PeerSeries {
  readonly labels: Labels;
  private readonly create: (labels: Labels, outcome: Outcome) => Series;
  /** Nearly everything ends without flags: HTTP by its status, gRPC with 200 by its own. */
  private readonly byStatus = new Map<number, Series>();
  private readonly byGrpcStatus = new Map<number, Series>();
  private readonly byOutcome = new Map<string, Series>();
  /** Made for the first gRPC call. */
  messages: MessageTotals | null = null;
  /** Made for the first TCP connection. */
  connections: ConnectionTotals | null = null;

  constructor(labels: Labels, create: (labels: Labels, outcome: Outcome) => Series) {
    this.labels = labels;
    this.create = create;
  }

  of({ responseCode: status, responseFlags: flags, isGrpc, grpcStatus: code }: ExchangeRecord): Series {
    // Codes of a service's own would let it make series up.
    const grpcStatus = code > lastKnownStatus ? GrpcStatus.unknown : code;
    if (flags !== '-' || (isGrpc && (status !== 200 || grpcStatus < 0)))
      return this.ofRare({ status, flags, isGrpc, grpcStatus });
    const known = isGrpc ? this.byGrpcStatus.get(grpcStatus) : this.byStatus.get(status);
    if (known !== undefined) return known;
    const series = this.create(this.labels, { status, flags, isGrpc, grpcStatus });
    if (isGrpc) this.byGrpcStatus.set(grpcStatus, series);
    else this.byStatus.set(status, series);
    return series;
  }

  private ofRare(outcome: Outcome): Series {
    const { status, flags, isGrpc, grpcStatus } = outcome;
    const key = `${isGrpc ? `${grpcStatus} ` : ''}${status} ${flags}`;
    const known = this.byOutcome.get(key);
    if (known !== undefined) return known;
    const series = this.create(this.labels, outcome);
    this.byOutcome.set(key, series);
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
    // What was a TCP connection in front of the link has been counted as one.
    if (exchange.wasConnection) return;
    const series = this.peerOf(exchange).of(exchange);
    series.requests.value++;
    series.duration.observe(exchange.durationMs);
  }

  /** Where the messages of a gRPC call are counted while it lasts; it has been routed. */
  messagesOf(exchange: ExchangeRecord): MessageTotals {
    const peer = this.peerOf(exchange);
    peer.messages ??= this.createMessages(peer.labels);
    return peer.messages;
  }

  /** Where a TCP connection is counted. */
  connectionsOf(peer: TrafficPeer): ConnectionTotals {
    const series = this.peerOf(peer);
    series.connections ??= this.createConnections(series.labels);
    return series.connections;
  }

  close(): void {
    this.scope.close();
  }

  private peerOf({ downstreamPeerUriSan, upstreamCluster }: TrafficPeer): PeerSeries {
    const key = this.reporter === 'destination' ? downstreamPeerUriSan : upstreamCluster;
    return this.peers.get(key) ?? this.addPeer(key);
  }

  private addPeer(key: string): PeerSeries {
    const name = this.peers.size < maxPeers ? key : '';
    const labels = this.reporter === 'destination' ? this.labelsOfCaller(name) : this.labelsOfCluster(name);
    const peer = new PeerSeries(labels, (labels, outcome) => this.createSeries(labels, outcome));
    if (name === key) this.peers.set(key, peer);
    else this.peers.set('', this.peers.get('') ?? peer);
    return this.peers.get(name) ?? peer;
  }

  private createSeries(peer: Labels, { status, flags, isGrpc, grpcStatus }: Outcome): Series {
    const labels = {
      ...peer,
      reporter: this.reporter,
      request_protocol: isGrpc ? 'grpc' : 'http',
      response_code: String(status),
      ...(grpcStatus < 0 ? {} : { grpc_response_status: String(grpcStatus) }),
      response_flags: flags,
    };
    return {
      requests: this.scope.counter(requestsTotalName, 'Requests by caller, callee and outcome.', labels),
      duration: this.scope.histogram(requestDurationName, 'Duration of requests in milliseconds.', labels),
    };
  }

  private createMessages(peer: Labels): MessageTotals {
    const labels = { ...peer, reporter: this.reporter, request_protocol: 'grpc' };
    return {
      requests: this.scope.counter(requestMessagesName, 'Messages of gRPC requests.', labels),
      responses: this.scope.counter(responseMessagesName, 'Messages of gRPC responses.', labels),
    };
  }

  private createConnections(peer: Labels): ConnectionTotals {
    const labels = { ...peer, reporter: this.reporter, request_protocol: 'tcp' };
    const counter = (name: string, help: string): Counter => this.scope.counter(name, help, labels);
    return {
      opened: counter(connectionsOpenedName, 'TCP connections opened.'),
      closed: counter(connectionsClosedName, 'TCP connections closed.'),
      received: counter(bytesReceivedName, 'Bytes received from callers by TCP.'),
      sent: counter(bytesSentName, 'Bytes sent to callers by TCP.'),
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
