import { assertNever } from '@heddle/base';
import type { CertificateExtensions } from '@heddle/identity';
import { StringMatcher, type TextMatcher } from '../routing/string-matcher.ts';

export type SanType = 'email' | 'dns' | 'uri' | 'ip';

/** One of `match_typed_subject_alt_names`: compares names of one type. */
export class SanMatcher {
  readonly type: SanType;
  readonly matcher: TextMatcher;

  constructor(type: SanType, matcher: TextMatcher) {
    this.type = type;
    this.matcher = matcher;
  }

  /** Whether one of a certificate's names of this type matches. */
  matches(names: CertificateExtensions): boolean {
    return namesOf(this.type, names).some((name) => isPrintable(name) && this.matchesName(name));
  }

  private matchesName(name: string): boolean {
    const { type, matcher } = this;
    const isDnsName = type === 'dns' && matcher instanceof StringMatcher && matcher.kind === 'exact';
    return isDnsName
      ? matchesDnsName(name.toLowerCase(), matcher.value.toLowerCase())
      : matcher.matches(name);
  }
}

function namesOf(type: SanType, names: CertificateExtensions): readonly string[] {
  switch (type) {
    case 'email':
      return names.emailNames;
    case 'dns':
      return names.dnsNames;
    case 'uri':
      return names.uriNames;
    case 'ip':
      return names.ipNames;
    default:
      return assertNever(type);
  }
}

/** A name with a NUL or any other byte that has no business in it matches nothing: what is it to whom? */
function isPrintable(name: string): boolean {
  return /^[\u0020-\u007e]+$/.test(name);
}

/** RFC 6125 §6.4.3: a certificate's `*` stands for exactly one label, the leftmost, and for nothing less than a label. */
export function matchesDnsName(certificateName: string, name: string): boolean {
  if (!certificateName.startsWith('*.')) return certificateName === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === certificateName.slice(1);
}
