// Hot path.
import { assertNever } from '@heddle/base';

export type StringMatcherKind = 'exact' | 'prefix' | 'suffix' | 'contains';

/** Compares strings as Envoy's `type.matcher.v3.StringMatcher` does. */
export interface TextMatcher {
  matches(text: string): boolean;
}

/** The comparisons without regular expressions; those are a `Regex`, for which case is its pattern's affair. */
export class StringMatcher implements TextMatcher {
  readonly kind: StringMatcherKind;
  /** In lower case where case is ignored. */
  readonly value: string;
  readonly ignoresCase: boolean;

  constructor(kind: StringMatcherKind, value: string, ignoresCase = false) {
    this.kind = kind;
    this.value = ignoresCase ? value.toLowerCase() : value;
    this.ignoresCase = ignoresCase;
  }

  matches(text: string): boolean {
    const subject = this.ignoresCase ? text.toLowerCase() : text;
    switch (this.kind) {
      case 'exact':
        return subject === this.value;
      case 'prefix':
        return subject.startsWith(this.value);
      case 'suffix':
        return subject.endsWith(this.value);
      case 'contains':
        return subject.includes(this.value);
      default:
        return assertNever(this.kind);
    }
  }
}
