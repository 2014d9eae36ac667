// Hot path.
import { assertNever } from '@heddle/base';
import type { RequestView } from './request-view.ts';
import type { TextMatcher } from './string-matcher.ts';

/** What the value of a present header must be. */
export type HeaderTest =
  | { readonly kind: 'present'; readonly isPresent: boolean }
  | { readonly kind: 'string'; readonly matcher: TextMatcher }
  /** An integer in [start, end). */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

const decimalInteger = /^[+-]?\d+$/;

/**
 * Reads one header (or pseudo-header) and compares it as Envoy's `HeaderMatcher` does: one that comes several times
 * matches where one of its values does. Compared as one value, a second line would hide what the first one says.
 */
export class HeaderMatcher {
  /** Lower case. */
  readonly name: string;
  readonly test: HeaderTest;
  readonly isInverted: boolean;
  readonly treatsMissingAsEmpty: boolean;

  constructor(name: string, test: HeaderTest, isInverted: boolean, treatsMissingAsEmpty: boolean) {
    this.name = name;
    this.test = test;
    this.isInverted = isInverted;
    this.treatsMissingAsEmpty = treatsMissingAsEmpty;
  }

  matches(request: RequestView): boolean {
    let value = this.read(request, 0);
    if (value === null) return this.matchesAbsence();
    for (let index = 1; value !== null; index++) {
      if (this.testValue(value)) return !this.isInverted;
      value = this.read(request, index);
    }
    return this.isInverted;
  }

  /** Whether a request without the header matches. */
  matchesAbsence(): boolean {
    if (this.treatsMissingAsEmpty) return this.testValue('') !== this.isInverted;
    // A missing header fails every test of its value, inverted ones too; only presence itself can be inverted.
    return this.test.kind === 'present' && this.test.isPresent === this.isInverted;
  }

  private testValue(value: string): boolean {
    const { test } = this;
    switch (test.kind) {
      case 'present':
        return test.isPresent;
      case 'string':
        return test.matcher.matches(value);
      case 'range': {
        if (!decimalInteger.test(value)) return false;
        const number = Number(value);
        return number >= test.start && number < test.end;
      }
      default:
        return assertNever(test);
    }
  }

  /** The `index`-th value; pseudo-headers have one, and CONNECT has no path. */
  private read(request: RequestView, index: number): string | null {
    switch (this.name) {
      case ':method':
        return index === 0 ? request.method : null;
      case ':path':
        return index === 0 && request.path !== '' ? request.path : null;
      case ':scheme':
        return index === 0 ? request.scheme : null;
      case ':authority':
      case 'host':
        return index === 0 ? request.authority : null;
      default:
        return request.headerValue(this.name, index);
    }
  }
}
