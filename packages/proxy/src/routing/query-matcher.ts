// Hot path.
import type { TextMatcher } from './string-matcher.ts';

/**
 * The first value of a query parameter; null where it is missing. Nothing is decoded: Envoy compares parameters as they
 * stand in the request.
 */
export function queryParameter(path: string, name: string): string | null {
  let start = path.indexOf('?') + 1;
  if (start === 0) return null;
  const fragment = path.indexOf('#', start);
  const end = fragment < 0 ? path.length : fragment;
  while (start <= end) {
    let stop = path.indexOf('&', start);
    if (stop < 0 || stop > end) stop = end;
    const afterName = start + name.length;
    if (afterName <= stop && path.startsWith(name, start)) {
      if (afterName === stop) return '';
      if (path.charCodeAt(afterName) === 0x3d) return path.slice(afterName + 1, stop);
    }
    start = stop + 1;
  }
  return null;
}

/** Requires a query parameter to be there, and to match where a matcher is given. */
export class QueryParameterMatcher {
  readonly name: string;
  /** Null where presence is enough. */
  readonly matcher: TextMatcher | null;

  constructor(name: string, matcher: TextMatcher | null) {
    this.name = name;
    this.matcher = matcher;
  }

  matches(path: string): boolean {
    const value = queryParameter(path, this.name);
    return value !== null && (this.matcher === null || this.matcher.matches(value));
  }
}
