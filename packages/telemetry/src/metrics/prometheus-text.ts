import type { LabelPairs } from './labels.ts';
import { estimateQuantile } from './quantile.ts';
import type { HistogramSample, MetricFamily } from './metric-family.ts';

/** The media type of `formatPrometheus`'s text. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Renders families in Prometheus's text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 */
export function formatPrometheus(families: readonly MetricFamily[]): string {
  let text = '';
  for (const family of families) {
    text += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
    if (family.type === 'histogram') {
      for (const sample of family.samples) text += formatHistogram(family.name, sample);
    } else {
      for (const { labels, value } of family.samples) {
        text += `${family.name}${formatLabels(labels)} ${formatNumber(value)}\n`;
      }
    }
  }
  return text;
}

/** Renders a histogram's series as those of a summary: estimates of `quantiles` in place of buckets. */
export function formatPrometheusSummary(
  { name, help, samples }: Extract<MetricFamily, { readonly type: 'histogram' }>,
  quantiles: readonly number[],
): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} summary\n`;
  for (const { labels, bounds, counts, sum, count } of samples) {
    const plain = formatLabels(labels);
    const open = openLabels(plain);
    for (const quantile of quantiles) {
      const value = estimateQuantile(quantile, bounds, counts) ?? Number.NaN;
      text += `${name}${open}quantile="${quantile}"} ${formatNumber(value)}\n`;
    }
    text += `${name}_sum${plain} ${formatNumber(sum)}\n${name}_count${plain} ${count}\n`;
  }
  return text;
}

/** Room for one more label behind the others: `{a="b",` or `{`. */
function openLabels(labels: string): string {
  return labels === '' ? '{' : `${labels.slice(0, -1)},`;
}

function formatHistogram(name: string, sample: HistogramSample): string {
  const plain = formatLabels(sample.labels);
  const open = openLabels(plain);
  let text = '';
  let cumulative = 0;
  for (let i = 0; i < sample.bounds.length; i++) {
    cumulative += sample.counts[i]!;
    text += `${name}_bucket${open}le="${formatNumber(sample.bounds[i]!)}"} ${cumulative}\n`;
  }
  text += `${name}_bucket${open}le="+Inf"} ${sample.count}\n`;
  return `${text}${name}_sum${plain} ${formatNumber(sample.sum)}\n${name}_count${plain} ${sample.count}\n`;
}

function formatLabels(labels: LabelPairs): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escapeLabelValue(value)}"`).join(',')}}`;
}

function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
