// Hot path.
import { assertNever } from '@heddle/base';
import type { Regex } from '@heddle/base/regex/regex.ts';

/** `connect` is for CONNECT, whose path is empty; the others are for everything else. */
export type PathMatcherKind = 'prefix' | 'path' | 'path-separated-prefix' | 'regex' | 'connect';

const slash = 0x2f;

/** Cuts query and fragment off a request target: what Envoy compares with. */
export function pathWithoutQuery(target: string): string {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 0x3f || code === 0x23) return target.slice(0, i);
  }
  return target;
}

/** Compares a path (without query) as `RouteMatch.path_specifier` says. */
export class PathMatcher {
  readonly kind: PathMatcherKind;
  /** In lower case where case is ignored. */
  readonly value: string;
  readonly isCaseSensitive: boolean;
  private readonly regex: Regex | null;

  /** `regex` with the kind of that name only, whose `value` is its pattern. */
  constructor(kind: PathMatcherKind, value: string, isCaseSensitive: boolean, regex: Regex | null = null) {
    this.kind = kind;
    this.regex = regex;
    this.value = isCaseSensitive ? value : value.toLowerCase();
    this.isCaseSensitive = isCaseSensitive;
  }

  matches(path: string): boolean {
    const subject = this.isCaseSensitive ? path : path.toLowerCase();
    switch (this.kind) {
      case 'prefix':
        return subject.startsWith(this.value) && subject !== '';
      case 'path':
        return subject === this.value;
      case 'path-separated-prefix': {
        const { length } = this.value;
        // `/api` matches `/api` and `/api/v1`, not `/apis`.
        return (
          subject.startsWith(this.value) &&
          (subject.length === length || subject.charCodeAt(length) === slash)
        );
      }
      case 'regex':
        return this.regex!.matches(path);
      case 'connect':
        return subject === '';
      default:
        return assertNever(this.kind);
    }
  }
}
