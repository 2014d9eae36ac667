/** Where a sparkline is drawn, in the units of its view box. */
export interface SparklineBox {
  readonly width: number;
  readonly height: number;
}

export interface ThreadPaths {
  /** One vertical thread per second, as high as the requests that succeeded, standing on the failed ones. */
  readonly succeeded: string;
  /** The failed part of the same threads. */
  readonly failed: string;
}

/** The least that counts as a full height, so that a single request does not look like a storm. */
const SMALLEST_FULL_SCALE = 1;
/** Whatever happened is at least this high. */
const SMALLEST_THREAD = 1.5;

/** Draws requests per second as warp threads. Seconds that are not known (NaN) and empty ones have no thread. */
export function threadPaths(requests: Float64Array, errors: Float64Array, box: SparklineBox): ThreadPaths {
  let most = SMALLEST_FULL_SCALE;
  for (const value of requests) if (value > most) most = value;
  const step = box.width / requests.length;
  let succeeded = '';
  let failed = '';
  for (let index = 0; index < requests.length; index++) {
    const total = requests[index] ?? NaN;
    if (!(total > 0)) continue;
    const x = round((index + 0.5) * step);
    const share = Math.min(1, (errors[index] ?? 0) / total);
    const height = Math.max(SMALLEST_THREAD, (total / most) * box.height);
    const failedHeight = share > 0 ? Math.max(SMALLEST_THREAD, share * height) : 0;
    if (failedHeight > 0) failed += `M${x} ${box.height}V${round(box.height - failedHeight)}`;
    if (share < 1) succeeded += `M${x} ${round(box.height - failedHeight)}V${round(box.height - height)}`;
  }
  return { succeeded, failed };
}

/** A line is drawn across this many seconds without a value; a longer silence is a gap. */
const BRIDGED_SECONDS = 5;

/**
 * Draws a latency as one line, between 0 and `most`. A value on its own becomes a dot (a line of no length, which a
 * round cap makes visible).
 */
export function linePath(values: Float64Array, most: number, box: SparklineBox): string {
  const step = box.width / values.length;
  let path = '';
  let previous = -1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (Number.isNaN(value)) continue;
    const x = round((index + 0.5) * step);
    const y = round(box.height - (most > 0 ? Math.min(1, value / most) : 0) * box.height);
    path += previous >= 0 && index - previous <= BRIDGED_SECONDS ? `L${x} ${y}` : `M${x} ${y}h0`;
    previous = index;
  }
  return path;
}

/** The largest value, or 0 where there is none. */
export function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
