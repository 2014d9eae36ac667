// Tells the control plane what this proxy has counted, over Envoy's metrics service, so that the dashboard needs no
// Prometheus and real Envoys can report the same way.
import type { Clock, Random, Timer } from '@heddle/base';
import type { LabelPairs, MetricFamily } from '@heddle/telemetry';
import type { DeepPartial, RpcClient, RpcStatus, RpcStream, RpcStreamHandler } from '@heddle/xds';
import { StreamMetricsMessage } from '@heddle/xds/api/envoy/service/metrics/v3/metrics_service.ts';
import { MetricType } from '@heddle/xds/api/io/prometheus/client/metrics.ts';

const method = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const intervalMs = 1_000;
const retryMs = 2_000;

export interface MetricsReporterOptions {
  readonly rpc: RpcClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The metrics of all threads. */
  readonly collect: () => Promise<readonly MetricFamily[]>;
  /** Which families are told; the rest is there for whoever scrapes. */
  readonly isReported: (name: string) => boolean;
  readonly node: { readonly id: string; readonly cluster: string };
}

/**
 * Sends totals once a second: all of them at first, then those that have changed; a slow control plane is sent fewer
 * messages, never a queue. A message without totals says that nothing has happened.
 */
export class MetricsReporter implements RpcStreamHandler {
  private readonly options: MetricsReporterOptions;
  private stream: RpcStream | null = null;
  private timer: Timer | null = null;
  private isWritable = true;
  private isFirst = true;
  /** What this stream was told last, by the labels' object, which is a series' own for as long as there is one. */
  private told = new WeakMap<LabelPairs, number>();
  private isClosed = false;
  private ended: (() => void) | null = null;

  constructor(options: MetricsReporterOptions) {
    this.options = options;
  }

  start(): void {
    this.schedule(intervalMs * this.options.random.float());
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
    this.stream?.cancel();
    this.stream = null;
  }

  /** Sends the last totals, and waits until the control plane has them, `timeoutMs` at most. Nothing is sent after that. */
  async finish(timeoutMs: number): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    if (this.stream === null) return;
    this.send(await this.options.collect());
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = resolve;
    const timer = this.options.clock.setTimer(timeoutMs, resolve);
    this.stream?.end();
    if (this.stream !== null) await promise;
    timer.cancel();
  }

  onMessage(): void {
    // The service answers once, when the stream ends.
  }

  onHalfClose(): void {
    // Clients are not told of this.
  }

  onWritable(): void {
    this.isWritable = true;
  }

  onEnd(_status: RpcStatus): void {
    this.stream = null;
    this.ended?.();
  }

  private schedule(delayMs: number): void {
    if (this.isClosed) return;
    this.timer = this.options.clock.setTimer(delayMs, () => this.report());
  }

  private report(): void {
    if (this.stream === null) {
      this.stream = this.options.rpc.openStream(method, this);
      this.isWritable = true;
      this.isFirst = true;
      this.told = new WeakMap();
    }
    if (this.isWritable) {
      void this.options.collect().then((families) => this.send(families));
    }
    this.schedule(this.stream === null ? retryMs : intervalMs);
  }

  private send(collected: readonly MetricFamily[]): void {
    // Worker threads have been asked meanwhile.
    if (this.stream !== null && this.isWritable) {
      const message: DeepPartial<StreamMetricsMessage> = {
        envoyMetrics: collected
          .filter((family) => this.options.isReported(family.name))
          .map((family) => this.takeChanged(family))
          .filter((family) => family.samples.length > 0)
          .map((family) => encodeFamily(family)),
      };
      if (this.isFirst) message.identifier = { node: this.options.node };
      this.isFirst = false;
      this.isWritable = this.stream.send(
        StreamMetricsMessage.encode(StreamMetricsMessage.fromPartial(message)).finish(),
      );
    }
  }

  private takeChanged(family: MetricFamily): MetricFamily {
    const isChanged = (labels: LabelPairs, total: number): boolean => {
      if (this.told.get(labels) === total) return false;
      this.told.set(labels, total);
      return true;
    };
    return family.type === 'histogram'
      ? { ...family, samples: family.samples.filter(({ labels, count }) => isChanged(labels, count)) }
      : { ...family, samples: family.samples.filter(({ labels, value }) => isChanged(labels, value)) };
  }
}

type EncodedFamily = NonNullable<DeepPartial<StreamMetricsMessage>['envoyMetrics']>[number];

/** A family in Prometheus's protobuf form; buckets are cumulative there. */
function encodeFamily(family: MetricFamily): EncodedFamily {
  const { name, help } = family;
  switch (family.type) {
    case 'counter':
      return {
        name,
        help,
        type: MetricType.COUNTER,
        metric: family.samples.map(({ labels, value }) => ({ label: labelsOf(labels), counter: { value } })),
      };
    case 'gauge':
      return {
        name,
        help,
        type: MetricType.GAUGE,
        metric: family.samples.map(({ labels, value }) => ({ label: labelsOf(labels), gauge: { value } })),
      };
    default:
      return {
        name,
        help,
        type: MetricType.HISTOGRAM,
        metric: family.samples.map(({ labels, bounds, counts, sum, count }) => ({
          label: labelsOf(labels),
          histogram: { sampleSum: sum, sampleCount: count, bucket: cumulative(bounds, counts) },
        })),
      };
  }
}

function labelsOf(labels: readonly (readonly [string, string])[]): { name: string; value: string }[] {
  return labels.map(([name, value]) => ({ name, value }));
}

function cumulative(
  bounds: Float64Array,
  counts: Float64Array,
): { upperBound: number; cumulativeCount: number }[] {
  let sum = 0;
  return [...bounds].map((upperBound, index) => {
    sum += counts[index]!;
    return { upperBound, cumulativeCount: sum };
  });
}
