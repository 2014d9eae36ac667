import type { LabelPairs } from './labels.ts';
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

function formatHistogram(name: string, sample: HistogramSample): string {
  const plain = formatLabels(sample.labels);
  // Room for `le` behind the other labels: "{a="b"," or "{".
  const open = plain === '' ? '{' : `${plain.slice(0, -1)},`;
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
