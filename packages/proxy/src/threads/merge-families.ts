import type { HistogramSample, LabelPairs, MetricFamily, NumberSample } from '@heddle/telemetry';

/** Gauges that say the same on every thread, because the configuration does: their largest value holds. */
const sameOnAllThreads =
  /_(?:membership_(?:total|healthy|degraded|excluded)|.*_open|circuit_breakers_.*_remaining_.*|expiration_unix_time_seconds|max_host_weight)$/;

/**
 * One list of families from those of all threads: counters, histograms and most gauges are added up. Families that `isOfProcess`
 * names are taken from the first thread alone.
 */
export function mergeFamilies(
  lists: readonly (readonly MetricFamily[])[],
  isOfProcess: (family: string) => boolean,
): readonly MetricFamily[] {
  const [first, ...others] = lists;
  if (first === undefined || others.length === 0) return first ?? [];
  const merged = new Map<string, MetricFamily>(first.map((family) => [family.name, family]));
  for (const family of others.flat()) {
    if (isOfProcess(family.name)) continue;
    const known = merged.get(family.name);
    merged.set(family.name, known === undefined ? family : mergeTwo(known, family));
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function mergeTwo(a: MetricFamily, b: MetricFamily): MetricFamily {
  if (a.type === 'histogram' && b.type === 'histogram') {
    return { ...a, samples: mergeSamples(a.samples, b.samples, addHistograms) };
  }
  if (a.type === 'histogram' || b.type === 'histogram') return a;
  const isLargest = a.type === 'gauge' && sameOnAllThreads.test(a.name);
  const combine = (x: NumberSample, y: NumberSample): NumberSample => ({
    labels: x.labels,
    value: isLargest ? Math.max(x.value, y.value) : x.value + y.value,
    isUsed: x.isUsed || y.isUsed,
  });
  return { ...a, samples: mergeSamples(a.samples, b.samples, combine) };
}

function mergeSamples<S extends { readonly labels: LabelPairs }>(
  a: readonly S[],
  b: readonly S[],
  combine: (x: S, y: S) => S,
): S[] {
  const merged = new Map(a.map((sample) => [JSON.stringify(sample.labels), sample]));
  for (const sample of b) {
    const key = JSON.stringify(sample.labels);
    const known = merged.get(key);
    merged.set(key, known === undefined ? sample : combine(known, sample));
  }
  return [...merged.values()];
}

function addHistograms(a: HistogramSample, b: HistogramSample): HistogramSample {
  return {
    labels: a.labels,
    bounds: a.bounds,
    counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)),
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}
