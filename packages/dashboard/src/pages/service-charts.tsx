import { columnOf, secondsUpTo, shareColumn } from '../chart/chart-data.ts';
import type { PlotSeries } from '../chart/plot.ts';
import { TimeChart } from '../components/time-chart.tsx';
import { formatLatency, formatRate, formatShare, NOTHING } from '../format/number.ts';
import type { ServiceSummary } from '../generated/api.ts';
import { history, historyVersion } from '../state/app-state.ts';
import { HISTORY_SECONDS } from '../traffic/traffic-history.ts';

const rate = (value: number | null): string => (value === null ? NOTHING : formatRate(value));
const share = (value: number | null): string => (value === null ? NOTHING : formatShare(value));

const REQUESTS: readonly PlotSeries[] = [
  { label: 'requests', color: '--woad', kind: 'threads', format: rate },
  { label: 'failed', color: '--bad', kind: 'threads', format: rate },
];
const ERRORS: readonly PlotSeries[] = [{ label: 'failed', color: '--bad', kind: 'threads', format: share }];
const LATENCY: readonly PlotSeries[] = [
  { label: 'p50', color: '--indigo', kind: 'line', format: formatLatency },
  { label: 'p99', color: '--weld', kind: 'line', format: formatLatency },
];

/** Requests, errors and latency of the last five minutes, second by second, up to now. */
export function ServiceCharts({ service }: { readonly service: ServiceSummary }) {
  void historyVersion.value;
  const window = history.window(service.namespace, service.name, HISTORY_SECONDS);
  const seconds = secondsUpTo(history.endSecond, HISTORY_SECONDS);
  const errors = columnOf(window.errors);
  return (
    <section class="charts" aria-label="Traffic">
      <TimeChart
        title="Requests"
        series={REQUESTS}
        seconds={seconds}
        columns={[columnOf(window.requests), errors]}
        leastTop={1}
        syncKey="service"
      />
      <TimeChart
        title="Errors"
        series={ERRORS}
        seconds={seconds}
        columns={[shareColumn(window.requests, window.errors)]}
        leastTop={0.05}
        syncKey="service"
      />
      <TimeChart
        title="Latency"
        series={LATENCY}
        seconds={seconds}
        columns={[columnOf(window.p50Ms), columnOf(window.p99Ms)]}
        leastTop={1}
        syncKey="service"
      />
    </section>
  );
}
