// `/stats` and `/stats/prometheus`.
import {
  estimateQuantile,
  formatPrometheus,
  type MetricFamily,
  prometheusContentType,
} from '@heddle/telemetry';
import { type AdminResponse, BadAdminRequest, choiceOf, textResponse } from './admin-message.ts';
import { type NamedSeries, readStatsQuery, selectFamilies, selectSeries } from './stats-query.ts';

const quantiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100] as const;
const formats = ['text', 'json', 'prometheus'] as const;
const bucketModes = ['summary', 'cumulative', 'disjoint'] as const;
type BucketMode = (typeof bucketModes)[number];
type HistogramSeries = Extract<NamedSeries, { readonly type: 'histogram' }>;

/** Answers `/stats`. */
export function statsPage(families: readonly MetricFamily[], query: URLSearchParams): AdminResponse {
  const format = choiceOf(query, 'format', formats);
  if (format === 'prometheus') return prometheusPage(families, query);
  const series = selectSeries(families, readStatsQuery(query));
  const mode = choiceOf(query, 'histogram_buckets', bucketModes);
  if (format === 'text') return textResponse(statsText(series, mode));
  if (mode !== 'summary') throw new BadAdminRequest('histogram_buckets is for the text format\n');
  return { status: 200, contentType: 'application/json', body: statsJson(series) };
}

/** Answers `/stats/prometheus`. */
export function prometheusPage(families: readonly MetricFamily[], query: URLSearchParams): AdminResponse {
  const selected = selectFamilies(families, readStatsQuery(query));
  return { status: 200, contentType: prometheusContentType, body: prometheusText(selected) };
}

function* prometheusText(families: Iterable<MetricFamily>): Generator<string> {
  for (const family of families) yield formatPrometheus([family]);
}

function* statsText(series: readonly NamedSeries[], mode: BucketMode): Generator<string> {
  for (const one of series) {
    yield one.type === 'histogram'
      ? `${one.name}: ${histogramText(one, mode)}\n`
      : `${one.name}: ${one.value}\n`;
  }
}

/** Envoy shows the interval since its last flush beside the whole time; nothing is flushed here, so that one is `nan`. */
function histogramText(series: HistogramSeries, mode: BucketMode): string {
  if (series.count === 0) return 'No recorded values';
  if (mode === 'summary') {
    return quantiles
      .map(
        (quantile) => `P${quantile}(nan,${estimateQuantile(quantile / 100, series.bounds, series.counts)})`,
      )
      .join(' ');
  }
  let sum = 0;
  return [...series.bounds]
    .map((bound, index) => {
      sum += series.counts[index]!;
      return `B${bound}(nan,${mode === 'cumulative' ? sum : series.counts[index]!})`;
    })
    .join(' ');
}

function* statsJson(series: readonly NamedSeries[]): Generator<string> {
  yield '{"stats":[';
  let separator = '';
  for (const one of series) {
    if (one.type === 'histogram') continue;
    yield `${separator}${JSON.stringify({ name: one.name, value: one.value })}`;
    separator = ',';
  }
  const histograms = series.filter((one): one is HistogramSeries => one.type === 'histogram');
  if (histograms.length > 0) {
    const computed = histograms.map(({ name, bounds, counts }) => ({
      name,
      values: quantiles.map((quantile) => ({
        interval: null,
        cumulative: estimateQuantile(quantile / 100, bounds, counts),
      })),
    }));
    yield `${separator}${JSON.stringify({ histograms: { supported_quantiles: quantiles, computed_quantiles: computed } })}`;
  }
  yield ']}';
}
