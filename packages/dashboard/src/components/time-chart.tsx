import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { lastKnown, type ChartColumn } from '../chart/chart-data.ts';
import { createPlot, type PlotSeries } from '../chart/plot.ts';
import { formatClockTime } from '../format/time.ts';
import { isDark } from '../state/theme.ts';

interface Properties {
  readonly title: string;
  readonly series: readonly PlotSeries[];
  /** Seconds since 1970, the newest last. */
  readonly seconds: readonly number[];
  /** One per series, as long as `seconds`. */
  readonly columns: readonly ChartColumn[];
  readonly leastTop: number;
  readonly syncKey: string;
}

const HEIGHT = 176;

/** A chart over the last minutes. Its legend tells the values under the cursor, or else the last ones. */
export function TimeChart({ title, series, seconds, columns, leastTop, syncKey }: Properties) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const cursor = useSignal<number | null>(null);
  const data = [seconds as number[], ...columns] satisfies uPlot.AlignedData;
  const latest = useRef<uPlot.AlignedData>(data);
  latest.current = data;
  const dark = isDark();

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = createPlot(
      element,
      {
        width: element.clientWidth,
        height: HEIGHT,
        series,
        leastTop,
        syncKey,
        onCursor: (index) => {
          cursor.value = index;
        },
      },
      latest.current,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // A canvas holds the colours it was drawn with, so another theme needs another plot.
  }, [series, leastTop, syncKey, dark]);

  const end = seconds.at(-1);
  useEffect(() => {
    plot.current?.setData(latest.current);
  }, [end, columns]);

  const index = cursor.value;
  const at = index === null ? undefined : seconds[index];
  const shown = columns.map((column) => (index === null ? lastKnown(column) : (column[index] ?? null)));
  const spoken = series.map((one, place) => `${one.label} ${one.format(shown[place] ?? null)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {series.map((one, place) => (
            <li key={one.label}>
              <span class={`swatch ${one.kind} ${one.color.slice(2)}`} />
              {one.label} <b>{one.format(shown[place] ?? null)}</b>
            </li>
          ))}
        </ul>
        <span class="chart-time">{at === undefined ? '' : formatClockTime(at * 1000)}</span>
      </figcaption>
      <div
        class="chart-place"
        ref={place}
        role="img"
        aria-label={`${title} over the last five minutes. Last second: ${spoken}`}
      />
    </figure>
  );
}
