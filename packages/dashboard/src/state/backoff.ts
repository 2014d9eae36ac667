import type { Clock } from '../platform/clock.ts';

const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/** How long to wait before attempt `attempt` (from 0): doubles up to ten seconds, spread so that many tabs don't come at once. */
export function backoffMs(attempt: number, clock: Pick<Clock, 'random'>): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(full * (0.75 + clock.random() / 2));
}
