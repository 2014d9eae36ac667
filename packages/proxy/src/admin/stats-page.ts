// `/stats` and `/stats/prometheus`.
import {
  estimateQuantile,
  formatPrometheus,
  formatPrometheusSummary,
  type MetricFamily,
  prometheusContentType,
} from '@heddle/telemetry';
import { type AdminResponse, choiceOf, textResponse } from './admin-message.ts';
import { type NamedSeries, readStatsQuery, selectFamilies, selectSeries } from './stats-query.ts';

const quantiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100] as const;
const formats = ['text', 'json', 'prometheus'] as const;
const bucketModes = ['summary', 'cumulative', 'disjoint', 'detailed'] as const;
const prometheusModes = ['cumulative', 'summary'] as const;
type BucketMode = (typeof bucketModes)[number];
type HistogramSeries = Extract<NamedSeries, { readonly type: 'histogram' }>;

/** Answers `/stats`. */
export function statsPage(families: readonly MetricFamily[], query: URLSearchParams): AdminResponse {
  const format = choiceOf(query, 'format', formats);
  if (format === 'prometheus') return prometheusPage(families, query);
  const series = selectSeries(families, readStatsQuery(query));
  const mode = choiceOf(query, 'histogram_buckets', bucketModes);
  if (format === 'text') return textResponse(statsText(series, mode));
  return { status: 200, contentType: 'application/json', body: statsJson(series, mode) };
}

/** Answers `/stats/prometheus`. */
export function prometheusPage(families: readonly MetricFamily[], query: URLSearchParams): AdminResponse {
  const selected = selectFamilies(families, readStatsQuery(query));
  const isSummary = choiceOf(query, 'histogram_buckets', prometheusModes) === 'summary';
  return { status: 200, contentType: prometheusContentType, body: prometheusText(selected, isSummary) };
}

function* prometheusText(families: Iterable<MetricFamily>, isSummary: boolean): Generator<string> {
  const shares = quantiles.map((quantile) => Number((quantile / 100).toFixed(3)));
  for (const family of families) {
    yield isSummary && family.type === 'histogram'
      ? formatPrometheusSummary(family, shares)
      : formatPrometheus([family]);
  }
}

function* statsText(series: readonly NamedSeries[], mode: BucketMode): Generator<string> {
  for (const one of series) {
    if (one.type !== 'histogram') yield `${one.name}: ${one.value}\n`;
    else if (one.count === 0) yield `${one.name}: No recorded values\n`;
    else if (mode === 'detailed') yield detailedText(one);
    else yield `${one.name}: ${mode === 'summary' ? summaryText(one) : bucketsText(one, mode)}\n`;
  }
}

// Envoy shows the interval since its last flush beside the whole time. Nothing is flushed here: it is `nan`, or null.

function summaryText(series: HistogramSeries): string {
  return quantiles.map((quantile) => `P${quantile}(nan,${estimate(quantile, series)})`).join(' ');
}

function bucketsText(series: HistogramSeries, mode: BucketMode): string {
  return bucketsOf(series, mode)
    .map(({ upper_bound, cumulative }) => `B${upper_bound}(nan,${cumulative})`)
    .join(' ');
}

function detailedText(series: HistogramSeries): string {
  const totals = totalsOf(series).map(({ lower_bound, width, count }) => `${lower_bound},${width}:${count}`);
  return `${series.name}:\n  totals=${totals.join(', ')}\n  intervals=\n  summary=${summaryText(series)}\n`;
}

function estimate(quantile: number, { bounds, counts }: HistogramSeries): number | null {
  const value = estimateQuantile(quantile / 100, bounds, counts);
  // An estimate between two bounds: more digits would only look exact.
  return value === null ? null : Number(value.toPrecision(6));
}

/** Values up to each bound, or between it and the one before, under the names of Envoy's JSON. */
function bucketsOf({ bounds, counts }: HistogramSeries, mode: BucketMode) {
  let sum = 0;
  return [...bounds].map((bound, index) => {
    sum += counts[index]!;
    const count = mode === 'cumulative' ? sum : counts[index]!;
    return { upper_bound: bound, interval: null, cumulative: count };
  });
}

/** The buckets that hold something; the last one, which has no bound, as if it were a point. */
function totalsOf({ bounds, counts }: HistogramSeries) {
  return [...counts]
    .map((count, index) => {
      const lower = index === 0 ? 0 : bounds[index - 1]!;
      return { lower_bound: lower, width: (bounds[index] ?? lower) - lower, count };
    })
    .filter(({ count }) => count > 0);
}

function* statsJson(series: readonly NamedSeries[], mode: BucketMode): Generator<string> {
  yield '{"stats":[';
  let separator = '';
  for (const one of series) {
    if (one.type === 'histogram') continue;
    yield `${separator}${JSON.stringify({ name: one.name, value: one.value })}`;
    separator = ',';
  }
  const histograms = series.filter((one): one is HistogramSeries => one.type === 'histogram');
  if (histograms.length > 0)
    yield `${separator}${JSON.stringify({ histograms: histogramsJson(histograms, mode) })}`;
  yield ']}';
}

function histogramsJson(histograms: readonly HistogramSeries[], mode: BucketMode): object {
  const estimates = (one: HistogramSeries) =>
    quantiles.map((quantile) => ({ interval: null, cumulative: estimate(quantile, one) }));
  if (mode === 'summary') {
    const computed = histograms.map((one) => ({ name: one.name, values: estimates(one) }));
    return { supported_quantiles: quantiles, computed_quantiles: computed };
  }
  if (mode === 'detailed') {
    const details = histograms.map((one) => ({
      name: one.name,
      totals: totalsOf(one),
      intervals: [],
      percentiles: estimates(one),
    }));
    return { supported_percentiles: quantiles, details };
  }
  return histograms.map((one) => ({ name: one.name, buckets: bucketsOf(one, mode) }));
}
