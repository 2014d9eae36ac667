/** Turns the proxies' counters into traffic per service and second. */
import type { Clock } from '@heddle/base';
import { bucketDelta } from '@heddle/telemetry';
import type {
  ServiceTrafficSample,
  ServiceTrafficSeries,
  ServiceTrafficSummary,
  TrafficEvent,
  TrafficResponse,
} from '../api/types.ts';
import { historySeconds, openSeconds, TrafficRing, type TrafficCounts } from './traffic-ring.ts';

/** One series of a report: a counter's value or a histogram's counts since the proxy started. */
export interface ReportedSeries {
  /** Name and all labels: the same series in every report of a proxy. */
  readonly key: string;
  readonly namespace: string;
  readonly service: string;
  /** Which end of a request speaks. */
  readonly reporter: 'source' | 'destination';
  readonly value:
    | { readonly kind: 'requests'; readonly count: number; readonly isError: boolean }
    /** One count per bucket of `durationBucketsMs` and one for what lies above. */
    | { readonly kind: 'latencies'; readonly counts: Float64Array };
}

/** What one proxy reports over one stream. */
export interface ProxyReporter {
  /** Takes totals. The first report sets the mark that later ones are compared with; what is missing in one is as it was. */
  report(series: readonly ReportedSeries[]): void;
}

interface ServiceRings {
  readonly namespace: string;
  readonly service: string;
  source: TrafficRing | null;
  /** The destination's own count decides where there is one. */
  destination: TrafficRing | null;
}

/** A report covers the second before it: the newest second that is complete ended at least so long ago. */
const settleMs = 1000;
const summarySeconds = 10;
/** Series of one stream that are remembered, and so counted: a proxy that calls thousands of services has fewer. */
const mostSeries = 50_000;

/** Holds a quarter of an hour of traffic of all services. */
export class TrafficCollector {
  private readonly clock: Clock;
  private readonly services = new Map<string, ServiceRings>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Starts to compare the reports of one stream with each other. */
  reporter(): ProxyReporter {
    let known: Map<string, ReportedSeries> | null = null;
    let previousMs = this.clock.now();
    return {
      report: (series) => {
        const nowMs = this.clock.now();
        // What a proxy counted before its first report was counted by an earlier stream, or too long ago to place.
        const isFirst = known === null;
        known ??= new Map();
        const span = { fromMs: previousMs, toMs: nowMs };
        for (const one of series) {
          const before = known.get(one.key);
          if (before === undefined && known.size >= mostSeries) continue;
          if (!isFirst) this.add(one, before, span);
          known.set(one.key, one);
        }
        previousMs = nowMs;
      },
    };
  }

  /** The last `seconds` seconds of all services that had traffic, sorted by namespace and name. */
  history(seconds: number): TrafficResponse {
    const last = this.lastSecond();
    const length = Math.max(1, Math.min(seconds, historySeconds - openSeconds));
    const services = this.sorted().map(({ namespace, service, ring }): ServiceTrafficSeries => {
      const counts = Array.from({ length }, (_, index) => ring.at(last - length + 1 + index));
      return {
        namespace,
        service,
        requests: counts.map((second) => round(second.requests)),
        errors: counts.map((second) => round(second.errors)),
        p50Ms: counts.map((second) => roundOrNull(second.p50Ms)),
        p99Ms: counts.map((second) => roundOrNull(second.p99Ms)),
      };
    });
    return { intervalMs: 1000, endMs: (last + 1) * 1000, services };
  }

  /** The newest complete second. */
  latest(): TrafficEvent {
    const last = this.lastSecond();
    const services = this.sorted().map(({ namespace, service, ring }): ServiceTrafficSample => {
      const counts = ring.at(last);
      return {
        namespace,
        service,
        requestsPerSecond: round(counts.requests),
        errorsPerSecond: round(counts.errors),
        p50Ms: roundOrNull(counts.p50Ms),
        p90Ms: roundOrNull(counts.p90Ms),
        p99Ms: roundOrNull(counts.p99Ms),
      };
    });
    return { timeMs: (last + 1) * 1000, services };
  }

  /** A service's last ten seconds; null where no traffic was ever reported. */
  summary(namespace: string, service: string): ServiceTrafficSummary | null {
    const last = this.lastSecond();
    const rings = this.services.get(`${namespace}/${service}`);
    const ring = rings === undefined ? null : decisive(rings);
    if (ring === null) return null;
    ring.advance(this.nowSecond());
    const counts: TrafficCounts = ring.sum(last - summarySeconds + 1, last);
    return {
      requestsPerSecond: round(counts.requests / summarySeconds),
      errorsPerSecond: round(counts.errors / summarySeconds),
      p50Ms: roundOrNull(counts.p50Ms),
      p99Ms: roundOrNull(counts.p99Ms),
    };
  }

  private add(
    series: ReportedSeries,
    previous: ReportedSeries | undefined,
    span: { readonly fromMs: number; readonly toMs: number },
  ): void {
    const { value } = series;
    if (value.kind === 'requests') {
      const before = previous?.value.kind === 'requests' ? previous.value.count : 0;
      // A count that went down belongs to a proxy that was started again.
      const delta = value.count >= before ? value.count - before : value.count;
      if (delta === 0) return;
      const ring = this.ringOf(series);
      spread(span, (second, share) => {
        ring.addRequests(second, delta * share, value.isError ? delta * share : 0);
      });
    } else {
      const before = previous?.value.kind === 'latencies' ? previous.value.counts : null;
      const delta = bucketDelta(value.counts, before);
      if (delta.every((count) => count === 0)) return;
      const ring = this.ringOf(series);
      spread(span, (second, share) => ring.addLatencies(second, delta, share));
    }
  }

  private ringOf(series: ReportedSeries): TrafficRing {
    const { namespace, service, reporter } = series;
    const key = `${namespace}/${service}`;
    let rings = this.services.get(key);
    if (rings === undefined) {
      rings = { namespace, service, source: null, destination: null };
      this.services.set(key, rings);
    }
    const ring = (rings[reporter] ??= new TrafficRing(this.nowSecond()));
    ring.advance(this.nowSecond());
    return ring;
  }

  private sorted(): { namespace: string; service: string; ring: TrafficRing }[] {
    const now = this.nowSecond();
    return [...this.services.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, rings]) => {
        const ring = decisive(rings);
        ring?.advance(now);
        return ring === null ? [] : [{ namespace: rings.namespace, service: rings.service, ring }];
      });
  }

  private nowSecond(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  private lastSecond(): number {
    return Math.floor((this.clock.now() - settleMs) / 1000) - 1;
  }
}

function decisive(rings: ServiceRings): TrafficRing | null {
  return rings.destination ?? rings.source;
}

/** Calls `add` for each second that the span touches, with the share of the span that lies in it. */
function spread(
  span: { readonly fromMs: number; readonly toMs: number },
  add: (second: number, share: number) => void,
): void {
  const { toMs } = span;
  // Older seconds are settled; a clock that jumped back leaves a span of no length.
  const fromMs = Math.min(Math.max(span.fromMs, toMs - (openSeconds - 1) * 1000), toMs);
  const lengthMs = toMs - fromMs;
  if (lengthMs === 0) {
    add(Math.floor(toMs / 1000), 1);
    return;
  }
  for (let second = Math.floor(fromMs / 1000); second * 1000 < toMs; second++) {
    const startMs = Math.max(fromMs, second * 1000);
    const endMs = Math.min(toMs, (second + 1) * 1000);
    if (endMs > startMs) add(second, (endMs - startMs) / lengthMs);
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : round(value);
}
