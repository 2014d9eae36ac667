import { formatDateTime, formatRelative } from '../format/time.ts';
import { nowMs } from '../state/app-state.ts';

/** A moment as the distance from now, with the date on hover. */
export function Moment({ atMs }: { readonly atMs: number }) {
  return (
    <time dateTime={new Date(atMs).toISOString()} title={formatDateTime(atMs)}>
      {formatRelative(atMs, nowMs.value)}
    </time>
  );
}
