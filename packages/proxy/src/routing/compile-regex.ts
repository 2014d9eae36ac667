import type { RegexMatchAndSubstitute, RegexMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/regex.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { Regex, Substitution } from '@heddle/base/regex/regex.ts';
import { RegexRewrite } from '@heddle/base/regex/regex-rewrite.ts';
import { isHeaderValue } from './header-syntax.ts';

/** Compiles a `type.matcher.v3.RegexMatcher`; null with a problem noted. */
export function compileRegex(message: RegexMatcher, path: string, problems: ProblemList): Regex | null {
  if (message.regex === '') {
    problems.invalid(`${path}.regex`, 'must not be empty');
    return null;
  }
  const compiled = Regex.compile(message.regex);
  if (compiled.ok) return compiled.value;
  problems.invalid(`${path}.regex`, `"${message.regex}" is no regular expression of RE2: ${compiled.error}`);
  return null;
}

/** Compiles a `type.matcher.v3.RegexMatchAndSubstitute`; null with problems noted. */
export function compileRegexRewrite(
  message: RegexMatchAndSubstitute,
  path: string,
  problems: ProblemList,
): RegexRewrite | null {
  if (message.pattern === undefined) {
    problems.invalid(`${path}.pattern`, 'is required');
    return null;
  }
  const regex = compileRegex(message.pattern, `${path}.pattern`, problems);
  if (regex === null) return null;
  if (!isHeaderValue(message.substitution) || /[\s#]/.test(message.substitution)) {
    problems.invalid(`${path}.substitution`, 'holds characters that no path or host may hold');
    return null;
  }
  const substitution = Substitution.compile(message.substitution, regex.captures);
  if (substitution.ok) return new RegexRewrite(regex, substitution.value);
  problems.invalid(`${path}.substitution`, substitution.error);
  return null;
}
