import { assertNever, invariant } from '@heddle/base';
import { Counter } from './counter.ts';
import { Gauge } from './gauge.ts';
import { durationBucketsMs, Histogram } from './histogram.ts';
import { checkMetricName, type LabelPairs, type Labels, labelPairs, seriesKey } from './labels.ts';
import type { MetricFamily } from './metric-family.ts';

type Metric = Counter | Gauge | Histogram;
type MetricType = MetricFamily['type'];

interface Series {
  readonly key: string;
  readonly labels: LabelPairs;
  readonly metric: Metric;
  /** How many scopes hold it; at 0 it leaves the registry. */
  references: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly series: Map<string, Series>;
}

/**
 * The series of one owner (a cluster, a listener): asking twice for the same name and labels gives the same handle, also
 * from another scope. `close` gives them back; a series that nobody holds any more is no longer exported.
 */
export interface MetricScope {
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels): Gauge;
  /** `bounds` are ascending upper bounds; the default are Envoy's, in milliseconds. */
  histogram(name: string, help: string, labels?: Labels, bounds?: readonly number[]): Histogram;
  /** Idempotent. Handles stay usable afterwards, but nobody may see them any more. */
  close(): void;
}

class RegistryScope implements MetricScope {
  private readonly registry: MetricRegistry;
  private held = new Map<Series, Family>();

  constructor(registry: MetricRegistry) {
    this.registry = registry;
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const metric = this.resolve(name, help, 'counter', labels, () => new Counter());
    invariant(metric instanceof Counter, `${name} is not a counter`);
    return metric;
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    const metric = this.resolve(name, help, 'gauge', labels, () => new Gauge());
    invariant(metric instanceof Gauge, `${name} is not a gauge`);
    return metric;
  }

  histogram(
    name: string,
    help: string,
    labels: Labels = {},
    bounds: readonly number[] = durationBucketsMs,
  ): Histogram {
    const metric = this.resolve(name, help, 'histogram', labels, () => new Histogram(bounds));
    invariant(metric instanceof Histogram, `${name} is not a histogram`);
    return metric;
  }

  close(): void {
    for (const [series, family] of this.held) this.registry.release(family, series);
    this.held = new Map();
  }

  private resolve(
    name: string,
    help: string,
    type: MetricType,
    labels: Labels,
    create: () => Metric,
  ): Metric {
    const family = this.registry.family(name, help, type);
    const pairs = labelPairs(labels);
    const key = seriesKey(pairs);
    let series = family.series.get(key);
    if (series === undefined) {
      series = { key, labels: pairs, metric: create(), references: 0 };
      family.series.set(key, series);
    }
    if (!this.held.has(series)) {
      this.held.set(series, family);
      series.references++;
    }
    return series.metric;
  }
}

/** All metrics of one process. */
export class MetricRegistry {
  private readonly families = new Map<string, Family>();

  /** Starts the set of series of one owner. */
  scope(): MetricScope {
    return new RegistryScope(this);
  }

  /** A copy of everything, sorted by name. */
  collect(): MetricFamily[] {
    const families = [...this.families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return families.map((family) => snapshot(family));
  }

  /** Starts all counters at 0 again. */
  resetCounters(): void {
    for (const { series } of this.families.values()) {
      for (const { metric } of series.values()) if (metric instanceof Counter) metric.value = 0;
    }
  }

  /** @internal */
  family(name: string, help: string, type: MetricType): Family {
    let family = this.families.get(name);
    if (family === undefined) {
      checkMetricName(name);
      family = { name, help, type, series: new Map() };
      this.families.set(name, family);
    }
    invariant(family.type === type, `${name} is a ${family.type} already`);
    return family;
  }

  /** @internal */
  release(family: Family, series: Series): void {
    series.references--;
    if (series.references > 0) return;
    family.series.delete(series.key);
    if (family.series.size === 0) this.families.delete(family.name);
  }
}

function snapshot(family: Family): MetricFamily {
  const { name, help, type } = family;
  const series = [...family.series.values()];
  switch (type) {
    case 'counter':
    case 'gauge':
      return { type, name, help, samples: series.map(({ labels, metric }) => numberSample(labels, metric)) };
    case 'histogram':
      return {
        type,
        name,
        help,
        samples: series.map(({ labels, metric }) => histogramSample(labels, metric)),
      };
    default:
      return assertNever(type);
  }
}

function numberSample(labels: LabelPairs, metric: Metric) {
  invariant(!(metric instanceof Histogram), 'a histogram has no single value');
  const isUsed = metric instanceof Gauge ? metric.isUsed : metric.value !== 0;
  return { labels, value: metric.value, isUsed };
}

function histogramSample(labels: LabelPairs, metric: Metric) {
  invariant(metric instanceof Histogram, 'only a histogram has buckets');
  const { bounds, sum, count } = metric;
  return { labels, bounds, counts: metric.counts.slice(), sum, count };
}
