import type { Problem } from '@heddle/base';
import type { AccessLogOpenError } from '../access-log/log-file.ts';
import { fieldPath } from '../config/problem-list.ts';
import { type ParsedFile, withPlace } from './problem-place.ts';

/** A log that can't be opened, as a problem of the file: where it is named first. */
export function accessLogProblem({ code, message, path }: AccessLogOpenError, source: ParsedFile): Problem {
  const place = pathTo(source.value, path, '');
  return withPlace({ code, severity: 'error', message, ...(place === null ? {} : { path: place }) }, source);
}

/** Where a member `path` has this value; null for nowhere. */
function pathTo(value: unknown, wanted: string, at: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, member] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${at}[${key}]` : fieldPath(at, key);
    const found = key === 'path' && member === wanted ? place : pathTo(member, wanted, place);
    if (found !== null) return found;
  }
  return null;
}
