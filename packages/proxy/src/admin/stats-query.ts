// Which series a question about statistics is about: `filter`, `usedonly`, `type`.
import type { LabelPairs, MetricFamily } from '@heddle/telemetry';
import { BadAdminRequest, choiceOf } from './admin-message.ts';
import { type NamePattern, safePattern } from './safe-pattern.ts';
import { dottedName } from './stat-names.ts';

const types = ['All', 'Counters', 'Gauges', 'Histograms', 'TextReadouts'] as const;

/** A series under the name that Envoy's users know. */
export type NamedSeries =
  | { readonly type: 'counter' | 'gauge'; readonly name: string; readonly value: number }
  | {
      readonly type: 'histogram';
      readonly name: string;
      readonly bounds: Float64Array;
      readonly counts: Float64Array;
      readonly count: number;
    };

/** What is asked for. */
export interface StatsQuery {
  /** Null for everything; tried against dotted names, anywhere in them. */
  readonly pattern: NamePattern | null;
  /** The pattern's series are those to leave out. */
  readonly inverts: boolean;
  /** Leaves out counters that are 0, gauges that were never set and histograms without values. */
  readonly usedOnly: boolean;
  readonly type: (typeof types)[number];
}

/** Reads the parameters; throws `BadAdminRequest` where one can't be used. */
export function readStatsQuery(query: URLSearchParams): StatsQuery {
  const source = query.get('filter') ?? '';
  const pattern = source === '' ? null : safePattern(source);
  if (pattern !== null && !pattern.ok) {
    throw new BadAdminRequest(`Invalid filter: ${pattern.error}\n`);
  }
  return {
    pattern: pattern === null ? null : pattern.value,
    inverts: query.has('invert_filter'),
    usedOnly: query.has('usedonly'),
    type: choiceOf(query, 'type', types),
  };
}

function isWanted(query: StatsQuery, family: string, labels: LabelPairs): boolean {
  if (query.pattern === null) return true;
  return query.pattern.test(dottedName(family, labels)) !== query.inverts;
}

function isOfType(query: StatsQuery, type: MetricFamily['type']): boolean {
  return query.type === 'All' || query.type.toLowerCase() === `${type}s`;
}

/** The families that are left of `families`, without those of which nothing is. */
export function* selectFamilies(
  families: Iterable<MetricFamily>,
  query: StatsQuery,
): Generator<MetricFamily> {
  for (const family of families) {
    if (!isOfType(query, family.type)) continue;
    if (family.type === 'histogram') {
      const samples = family.samples.filter(
        ({ labels, count }) => (!query.usedOnly || count > 0) && isWanted(query, family.name, labels),
      );
      if (samples.length > 0) yield { ...family, samples };
      continue;
    }
    const samples = family.samples.filter(
      ({ labels, isUsed }) => (!query.usedOnly || isUsed) && isWanted(query, family.name, labels),
    );
    if (samples.length > 0) yield { ...family, samples };
  }
}

/** The series that are left, by dotted name: counters and gauges first, then histograms, as Envoy lists them. */
export function selectSeries(families: Iterable<MetricFamily>, query: StatsQuery): NamedSeries[] {
  const numbers: NamedSeries[] = [];
  const histograms: NamedSeries[] = [];
  for (const family of selectFamilies(families, query)) {
    if (family.type === 'histogram') {
      for (const { labels, bounds, counts, count } of family.samples) {
        histograms.push({
          type: 'histogram',
          name: dottedName(family.name, labels),
          bounds,
          counts,
          count,
        });
      }
    } else {
      for (const { labels, value } of family.samples) {
        numbers.push({ type: family.type, name: dottedName(family.name, labels), value });
      }
    }
  }
  return [...numbers.sort(byName), ...histograms.sort(byName)];
}

function byName(a: NamedSeries, b: NamedSeries): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
