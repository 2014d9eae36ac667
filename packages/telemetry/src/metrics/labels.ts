import { invariant } from '@heddle/base';

/** Label names and values of one series, resolved when configuration changes and never per request. */
export type Labels = Readonly<Record<string, string>>;

/** Labels in a fixed order (by name), as families hold them. */
export type LabelPairs = readonly (readonly [name: string, value: string])[];

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Sorts labels by name; a name that Prometheus would not read is a bug of ours. */
export function labelPairs(labels: Labels): LabelPairs {
  const pairs: [string, string][] = Object.entries(labels);
  for (const [name] of pairs) {
    invariant(labelName.test(name) && !name.startsWith('__'), `label name ${name} is not valid`);
  }
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Identifies a series within its family: equal for equal labels, whatever their order. */
export function seriesKey(pairs: LabelPairs): string {
  return JSON.stringify(pairs);
}

/** Refuses a metric name that Prometheus would not read. */
export function checkMetricName(name: string): void {
  invariant(metricName.test(name), `metric name ${name} is not valid`);
}
