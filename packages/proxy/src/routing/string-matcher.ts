// Hot path.
import { assertNever } from '@heddle/base';

export type StringMatcherKind = 'exact' | 'prefix' | 'suffix' | 'contains';

/** Compares strings as Envoy's `type.matcher.v3.StringMatcher` does; regular expressions are refused before it comes here. */
export class StringMatcher {
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
