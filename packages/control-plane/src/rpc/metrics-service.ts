/** `/envoy.service.metrics.v3.MetricsService/StreamMetrics`: proxies push their metrics, of which traffic is kept. */
import { errorMessage } from '@heddle/base';
import { durationBucketsMs } from '@heddle/telemetry';
import { RpcCode, type RpcMethod, type RpcPeer, type RpcStream, type RpcStreamHandler } from '@heddle/xds';
import {
  StreamMetricsMessage,
  StreamMetricsResponse,
} from '@heddle/xds/api/envoy/service/metrics/v3/metrics_service.ts';
import type { Histogram, Metric, MetricFamily } from '@heddle/xds/api/io/prometheus/client/metrics.ts';
import type { ProxyReporter, ReportedSeries, TrafficCollector } from '../telemetry/traffic-collector.ts';
import { workloadOf } from './workload-peer.ts';

export const streamMetricsMethod = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

const requestsName = 'istio_requests_total';
const durationName = 'istio_request_duration_milliseconds';

export function metricsService(collector: TrafficCollector): RpcMethod {
  return { kind: 'stream', open: (stream, peer) => new MetricsStream(collector, stream, peer) };
}

class MetricsStream implements RpcStreamHandler {
  private readonly stream: RpcStream;
  private readonly reporter: ProxyReporter;
  private readonly namespace: string;

  constructor(collector: TrafficCollector, stream: RpcStream, peer: RpcPeer) {
    this.stream = stream;
    this.reporter = collector.reporter();
    this.namespace = workloadOf(peer)?.namespace ?? '';
  }

  onMessage(bytes: Uint8Array): void {
    let message: StreamMetricsMessage;
    try {
      message = StreamMetricsMessage.decode(bytes);
    } catch (error) {
      this.stream.end({
        code: RpcCode.invalidArgument,
        message: `Not a StreamMetricsMessage: ${errorMessage(error)}`,
      });
      return;
    }
    this.reporter.report(
      message.envoyMetrics.flatMap((family) => readFamily(family)).filter((series) => this.mayReport(series)),
    );
  }

  onHalfClose(): void {
    this.stream.send(StreamMetricsResponse.encode(StreamMetricsResponse.fromPartial({})).finish());
    this.stream.end();
  }

  onWritable(): void {
    // One answer at the end is all that is ever sent.
  }

  onEnd(): void {
    // What was reported stays.
  }

  /** A workload speaks as a destination for its own namespace only. */
  private mayReport({ reporter, namespace }: ReportedSeries): boolean {
    return reporter === 'source' || namespace === this.namespace;
  }
}

/** The series of a family that tell of a service's traffic. */
function readFamily({ name, metric }: MetricFamily): ReportedSeries[] {
  if (name !== requestsName && name !== durationName) return [];
  return metric.flatMap((one) => {
    const labels = new Map(one.label.map((pair) => [pair.name, pair.value]));
    const service = labels.get('destination_service_name') ?? '';
    const namespace = labels.get('destination_service_namespace') ?? '';
    const reporter = labels.get('reporter');
    if (service === '' || service === 'unknown' || namespace === '') return [];
    if (reporter !== 'source' && reporter !== 'destination') return [];
    const value = name === requestsName ? readRequests(one, labels) : readLatencies(one);
    if (value === undefined) return [];
    const key = `${name} ${one.label.map((pair) => `${pair.name}=${pair.value}`).join()}`;
    return [{ key, namespace, service, reporter, value }];
  });
}

/** The statuses of gRPC that HTTP has 5xx for: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const failedCalls: ReadonlySet<string> = new Set(['2', '4', '12', '13', '14', '15']);

/** Code 0 stands for a request that got no answer. */
function readRequests(
  { counter }: Metric,
  labels: ReadonlyMap<string, string>,
): ReportedSeries['value'] | undefined {
  if (counter === undefined) return undefined;
  const code = labels.get('response_code') ?? '';
  const isError =
    code === '0' ||
    (code.length === 3 && code.startsWith('5')) ||
    failedCalls.has(labels.get('grpc_response_status') ?? '');
  return { kind: 'requests', count: counter.value, isError };
}

function readLatencies({ histogram }: Metric): ReportedSeries['value'] | undefined {
  return histogram === undefined ? undefined : { kind: 'latencies', counts: readBuckets(histogram) };
}

/** Counts per bucket of `durationBucketsMs`; buckets with other bounds count where theirs lie. */
function readBuckets({ bucket, sampleCount }: Histogram): Float64Array {
  const counts = new Float64Array(durationBucketsMs.length + 1);
  let below = 0;
  for (const { cumulativeCount, upperBound } of bucket) {
    const found = durationBucketsMs.findIndex((bound) => bound >= upperBound);
    const index = found < 0 ? durationBucketsMs.length : found;
    counts[index] = counts[index]! + cumulativeCount - below;
    below = cumulativeCount;
  }
  counts[durationBucketsMs.length] = counts[durationBucketsMs.length]! + Math.max(0, sampleCount - below);
  return counts;
}
