/** `StreamLoadStats` (LRS): Envoys and gRPC's clients say how many requests they sent where; traffic is counted from it. */
import { errorMessage } from '@heddle/base';
import { RpcCode, type RpcMethod, type RpcPeer, type RpcStream, type RpcStreamHandler } from '@heddle/xds';
import type { ClusterStats } from '@heddle/xds/api/envoy/config/endpoint/v3/load_report.ts';
import type { Node } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { LoadStatsRequest, LoadStatsResponse } from '@heddle/xds/api/envoy/service/load_stats/v3/lrs.ts';
import { readSidecarNode, type SidecarNode } from '../compile/node-metadata.ts';
import type { ProxyReporter, ReportedSeries, TrafficCollector } from '../telemetry/traffic-collector.ts';
import { admitNode } from './node-admission.ts';

export const loadReportMethod = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';

/** As often as sidecars report. */
const interval = { seconds: 1, nanos: 0 };
/** Clusters of one stream that are counted: a proxy that calls thousands of services has fewer. */
const mostClusters = 20_000;

export interface LoadReportOptions {
  readonly collector: TrafficCollector;
  readonly trustDomain: string;
}

export function loadReportService(options: LoadReportOptions): RpcMethod {
  return { kind: 'stream', open: (stream, peer) => new LoadReports(options, stream, peer) };
}

/** Requests to a cluster since its stream began. */
interface Totals {
  good: number;
  bad: number;
}

class LoadReports implements RpcStreamHandler {
  private readonly options: LoadReportOptions;
  private readonly stream: RpcStream;
  private readonly peer: RpcPeer;
  private readonly reporter: ProxyReporter;
  private readonly totals = new Map<string, Totals>();
  private node: SidecarNode | null = null;

  constructor(options: LoadReportOptions, stream: RpcStream, peer: RpcPeer) {
    this.options = options;
    this.stream = stream;
    this.peer = peer;
    this.reporter = options.collector.reporter();
  }

  onMessage(bytes: Uint8Array): void {
    let request: LoadStatsRequest;
    try {
      request = LoadStatsRequest.decode(bytes);
    } catch (error) {
      this.stream.end({
        code: RpcCode.invalidArgument,
        message: `Not a LoadStatsRequest: ${errorMessage(error)}`,
      });
      return;
    }
    const node = this.node ?? this.begin(request.node);
    if (node === null) return;
    const series = request.clusterStats.flatMap((stats) => this.add(stats, node));
    // The first report is the mark that others are compared with: all counts begin with the stream.
    this.reporter.report(series);
  }

  onHalfClose(): void {
    this.stream.end();
  }

  onWritable(): void {
    // One answer is all that is ever sent.
  }

  onEnd(): void {
    // What was reported stays.
  }

  /** Learns who reports, and asks for everything. */
  private begin(node: Node | undefined): SidecarNode | null {
    const read = node === undefined ? null : readSidecarNode(node);
    const refusal =
      node === undefined || read?.ok !== true
        ? { code: RpcCode.invalidArgument, message: 'The first report of a stream must say whose it is.' }
        : admitNode({ node, peer: this.peer }, this.options.trustDomain);
    if (refusal !== null || read?.ok !== true) {
      this.stream.end(refusal ?? undefined);
      return null;
    }
    this.node = read.value;
    const response = LoadStatsResponse.fromPartial({
      sendAllClusters: true,
      loadReportingInterval: interval,
    });
    this.stream.send(LoadStatsResponse.encode(response).finish());
    return this.node;
  }

  /** What is reported are differences; the collector wants totals. */
  private add({ clusterName, upstreamLocalityStats }: ClusterStats, node: SidecarNode): ReportedSeries[] {
    const place = placeOf(clusterName, node);
    if (place === null) return [];
    let totals = this.totals.get(clusterName);
    if (totals === undefined) {
      if (this.totals.size >= mostClusters) return [];
      totals = { good: 0, bad: 0 };
      this.totals.set(clusterName, totals);
    }
    for (const { totalSuccessfulRequests, totalErrorRequests } of upstreamLocalityStats) {
      totals.good += totalSuccessfulRequests;
      totals.bad += totalErrorRequests;
    }
    return [
      {
        ...place,
        key: `${clusterName} good`,
        value: { kind: 'requests', count: totals.good, isError: false },
      },
      { ...place, key: `${clusterName} bad`, value: { kind: 'requests', count: totals.bad, isError: true } },
    ];
  }
}

/** Whose traffic a cluster's is: that of its host, or, of the workload's own cluster, the workload's service. */
function placeOf(
  cluster: string,
  { namespace, service }: SidecarNode,
): Pick<ReportedSeries, 'namespace' | 'service' | 'reporter'> | null {
  const [direction, , , host = ''] = cluster.split('|');
  if (direction === 'inbound') return service === '' ? null : { namespace, service, reporter: 'destination' };
  const [name = '', home = '', kind] = host.split('.');
  if (direction !== 'outbound' || kind !== 'svc' || name === '' || home === '') return null;
  return { namespace: home, service: name, reporter: 'source' };
}
