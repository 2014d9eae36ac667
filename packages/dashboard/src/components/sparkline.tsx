import { largest, linePath, threadPaths } from '../chart/sparkline-path.ts';

const BOX = { width: 180, height: 26 };
/** A thread's part of its second; the rest is the space to the next. */
const THREAD_SHARE = 0.6;

/** Requests of the last seconds as warp threads; the failed part is coloured. */
export function ThreadSparkline({
  requests,
  errors,
  label,
}: {
  readonly requests: Float64Array;
  readonly errors: Float64Array;
  readonly label: string;
}) {
  const paths = threadPaths(requests, errors, BOX);
  const width = (BOX.width / requests.length) * THREAD_SHARE;
  return (
    <svg
      class="spark threads"
      viewBox={`0 -1 ${BOX.width} ${BOX.height + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-base" d={`M0 ${BOX.height + 0.5}H${BOX.width}`} />
      <path class="spark-good" stroke-width={width} d={paths.succeeded} />
      <path class="spark-bad" stroke-width={width} d={paths.failed} />
    </svg>
  );
}

/** Two latencies of the last seconds as lines on one scale. */
export function LatencySparkline({
  p50Ms,
  p99Ms,
  label,
}: {
  readonly p50Ms: Float64Array;
  readonly p99Ms: Float64Array;
  readonly label: string;
}) {
  const most = Math.max(largest(p50Ms), largest(p99Ms));
  return (
    <svg
      class="spark lines"
      viewBox={`0 -1 ${BOX.width} ${BOX.height + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-base" d={`M0 ${BOX.height + 0.5}H${BOX.width}`} />
      <path class="spark-p99" d={linePath(p99Ms, most, BOX)} />
      <path class="spark-p50" d={linePath(p50Ms, most, BOX)} />
    </svg>
  );
}
