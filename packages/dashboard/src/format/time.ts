import { NO_BREAK } from './number.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in its two largest units: `now`-like lengths are `0 s`; `45 s`, `5 min 12 s`, `11 h 58 min`, `3 d 4 h`, `3650 d`. */
export function formatDuration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < MINUTE) return unit(length / SECOND, 's');
  if (length < HOUR) return pair(length, MINUTE, 'min', SECOND, 's');
  if (length < DAY) return pair(length, HOUR, 'h', MINUTE, 'min');
  if (length < 100 * DAY) return pair(length, DAY, 'd', HOUR, 'h');
  return unit(length / DAY, 'd');
}

/** How far a moment lies from now: `in 11 h 58 min`, `5 min 12 s ago`, `now` within a second. */
export function formatRelative(atMs: number, nowMs: number): string {
  const distance = atMs - nowMs;
  if (Math.abs(distance) < SECOND) return 'now';
  return distance > 0 ? `in ${formatDuration(distance)}` : `${formatDuration(-distance)} ago`;
}

/** A moment in the reader's time zone: `2026-11-21 09:38:05`. */
export function formatDateTime(atMs: number): string {
  const date = new Date(atMs);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}${NO_BREAK}${formatClockTime(atMs)}`;
}

/** The time of day in the reader's time zone: `09:38:05`. */
export function formatClockTime(atMs: number): string {
  const date = new Date(atMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return value.toString().padStart(2, '0');
}

function unit(value: number, name: string): string {
  return `${Math.floor(value)}${NO_BREAK}${name}`;
}

function pair(length: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((length % large) / small);
  return rest === 0
    ? unit(length / large, largeName)
    : `${unit(length / large, largeName)} ${unit(rest, smallName)}`;
}
