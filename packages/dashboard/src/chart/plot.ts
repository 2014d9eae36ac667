import uPlot from 'uplot';
import { formatClockTime } from '../format/time.ts';
import { roundUp } from './chart-data.ts';

export interface PlotSeries {
  readonly label: string;
  /** Name of a colour token, such as `--woad`. */
  readonly color: string;
  /** `threads`: one vertical thread per second. `line`: a line over the seconds that have a value. */
  readonly kind: 'threads' | 'line';
  readonly format: (value: number | null) => string;
}

interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly series: readonly PlotSeries[];
  /** The axis reaches at least this high. */
  readonly leastTop: number;
  /** Charts with the same key show their cursors at the same second. */
  readonly syncKey: string;
  /** Called with the index of the second under the cursor, null when it has left. */
  readonly onCursor: (index: number | null) => void;
}

/** A line crosses this many seconds without requests; a longer silence is a gap. */
const BRIDGED_SECONDS = 5;

/** Makes a chart inside `place`; whoever makes it destroys it. Colours are those of the moment. */
export function createPlot(place: HTMLElement, options: PlotOptions, data: uPlot.AlignedData): uPlot {
  const colors = resolveColors(place, [
    '--ink-soft',
    '--line',
    ...options.series.map((series) => series.color),
  ]);
  const [ink = '', line = '', ...seriesColors] = colors;
  const font = `11px ${getComputedStyle(place).fontFamily}`;
  const grid = { stroke: line, width: 1 };
  const formatAxis = options.series[0]?.format ?? String;
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { setScale: false, x: false, y: false },
        sync: { key: options.syncKey },
      },
      scales: {
        x: { time: true },
        y: { range: (_plot, _min, max) => [0, roundUp(Math.max(options.leastTop, max))] },
      },
      axes: [
        {
          stroke: ink,
          font,
          grid: { show: false },
          ticks: { stroke: line, size: 4 },
          size: 26,
          gap: 4,
          space: 44,
          incrs: [60, 120, 300],
          values: (_plot, seconds) => seconds.map((second) => formatClockTime(second * 1000).slice(0, 5)),
        },
        {
          stroke: ink,
          font,
          grid,
          ticks: { show: false },
          size: 58,
          gap: 6,
          space: 32,
          values: (_plot, values) => values.map((value) => formatAxis(value).replace(/\.0+(?!\d)/, '')),
        },
      ],
      series: [
        {},
        ...options.series.map((series, index) => seriesOptions(series, seriesColors[index] ?? ink)),
      ],
      hooks: {
        setCursor: [
          (plot) => {
            options.onCursor(plot.cursor.idx ?? null);
          },
        ],
      },
    },
    data,
    place,
  );
}

function seriesOptions(series: PlotSeries, color: string): uPlot.Series {
  const shared = { label: series.label, stroke: color, points: { show: false } };
  if (series.kind === 'threads') {
    const paths = uPlot.paths.bars?.({ size: [0.55, 3], align: 0 });
    return { ...shared, width: 0, fill: color, ...(paths === undefined ? {} : { paths }) };
  }
  return {
    ...shared,
    width: 1.5,
    gaps: (plot, _series, _first, _last, gaps) => {
      const bridged = (plot.bbox.width / (plot.data[0].length || 1)) * BRIDGED_SECONDS;
      return gaps.filter(([from, to]) => to - from > bridged);
    },
  };
}

/** What colour tokens are on the screen right now; a canvas can't use the tokens themselves. */
function resolveColors(place: HTMLElement, tokens: readonly string[]): string[] {
  const probe = document.createElement('i');
  place.append(probe);
  const colors = tokens.map((token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colors;
}
