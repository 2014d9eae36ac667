import { assertNever } from '@heddle/base';
import type { RuntimeFractionalPercent } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type {
  HeaderMatcher as HeaderMatcherMessage,
  QueryParameterMatcher as QueryParameterMatcherMessage,
  RouteMatch as RouteMatchMessage,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { StringMatcher as StringMatcherMessage } from '@heddle/xds/api/envoy/type/matcher/v3/string.ts';
import type { FractionalPercent } from '@heddle/xds/api/envoy/type/v3/percent.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { HeaderMatcher, type HeaderTest } from './header-matcher.ts';
import { isHeaderName } from './header-syntax.ts';
import { PathMatcher, type PathMatcherKind } from './path-matcher.ts';
import { QueryParameterMatcher } from './query-matcher.ts';
import { compileRegex } from './compile-regex.ts';
import type { Fraction, RouteConditions } from './route-entry.ts';
import { StringMatcher, type StringMatcherKind, type TextMatcher } from './string-matcher.ts';

/** Compiles a `type.matcher.v3.StringMatcher`; null with a problem noted. */
export function compileStringMatcher(
  message: StringMatcherMessage,
  path: string,
  problems: ProblemList,
): TextMatcher | null {
  const pattern = message.matchPattern;
  switch (pattern?.$case) {
    case undefined:
      problems.invalid(path, 'needs one of exact, prefix, suffix, contains, safe_regex');
      return null;
    case 'safeRegex':
      return compileRegex(pattern.value, `${path}.safe_regex`, problems);
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return stringMatcher(
        pattern.$case,
        pattern.value,
        message.ignoreCase,
        `${path}.${pattern.$case}`,
        problems,
      );
    default:
      return assertNever(pattern);
  }
}

function stringMatcher(
  kind: StringMatcherKind,
  value: string,
  ignoresCase: boolean,
  path: string,
  problems: ProblemList,
): StringMatcher | null {
  if (kind !== 'exact' && value === '') {
    problems.invalid(path, 'must not be empty');
    return null;
  }
  return new StringMatcher(kind, value, ignoresCase);
}

/** A fraction; null with a problem noted. */
export function compileFraction(
  percent: FractionalPercent | undefined,
  path: string,
  problems: ProblemList,
): Fraction | null {
  const denominator = percent === undefined ? undefined : [100, 10_000, 1_000_000][percent.denominator];
  if (percent === undefined || denominator === undefined) {
    problems.invalid(path, 'needs a numerator and a known denominator');
    return null;
  }
  return { numerator: percent.numerator, denominator };
}

/** Compiles the conditions of a route; null with problems noted. */
export function compileConditions(
  match: RouteMatchMessage,
  path: string,
  problems: ProblemList,
): RouteConditions | null {
  const pathMatcher = compilePath(match, path, problems);
  const headers: HeaderMatcher[] = [];
  for (const [index, header] of match.headers.entries()) {
    const matcher = compileHeader(header, `${path}.headers[${index}]`, problems);
    if (matcher !== null) headers.push(matcher);
  }
  const queryParameters: QueryParameterMatcher[] = [];
  for (const [index, parameter] of match.queryParameters.entries()) {
    const matcher = compileQuery(parameter, `${path}.query_parameters[${index}]`, problems);
    if (matcher !== null) queryParameters.push(matcher);
  }
  const fraction = compileRuntimeFraction(match.runtimeFraction, `${path}.runtime_fraction`, problems);
  return pathMatcher === null
    ? null
    : { path: pathMatcher, headers, queryParameters, isGrpcOnly: match.grpc !== undefined, fraction };
}

function compileRuntimeFraction(
  fraction: RuntimeFractionalPercent | undefined,
  path: string,
  problems: ProblemList,
): Fraction | null {
  // There is no runtime to override it: the default value is what holds, whatever the key.
  return fraction === undefined
    ? null
    : compileFraction(fraction.defaultValue, `${path}.default_value`, problems);
}

const separatedPrefix = /^[^?#]*[^?#/]$/;

function compilePath(match: RouteMatchMessage, path: string, problems: ProblemList): PathMatcher | null {
  const specifier = match.pathSpecifier;
  const isCaseSensitive = match.caseSensitive ?? true;
  const matcher = (kind: PathMatcherKind, value: string): PathMatcher =>
    new PathMatcher(kind, value, isCaseSensitive);
  switch (specifier?.$case) {
    case undefined:
      problems.invalid(path, 'needs one of prefix, path, path_separated_prefix, connect_matcher');
      return null;
    case 'safeRegex': {
      const regex = compileRegex(specifier.value, `${path}.safe_regex`, problems);
      return regex === null ? null : new PathMatcher('regex', specifier.value.regex, true, regex);
    }
    case 'connectMatcher':
      return matcher('connect', '');
    case 'prefix':
      return matcher('prefix', specifier.value);
    case 'path':
      return matcher('path', specifier.value);
    case 'pathSeparatedPrefix':
      if (!separatedPrefix.test(specifier.value)) {
        problems.invalid(`${path}.path_separated_prefix`, 'must hold no ? or # and not end with a slash');
        return null;
      }
      return matcher('path-separated-prefix', specifier.value);
    default:
      return assertNever(specifier);
  }
}

const readablePseudoHeaders = new Set([':method', ':path', ':authority', ':scheme']);

/** Compiles a `HeaderMatcher`; null with a problem noted. */
export function compileHeader(
  header: HeaderMatcherMessage,
  path: string,
  problems: ProblemList,
): HeaderMatcher | null {
  const name = header.name.toLowerCase();
  if (name.startsWith(':') && !readablePseudoHeaders.has(name)) {
    problems.unsupported(`${path}.name`, `matching ${name}`);
    return null;
  }
  if (!name.startsWith(':') && !isHeaderName(name)) {
    problems.invalid(`${path}.name`, `"${header.name}" is no header name`);
    return null;
  }
  const test = compileHeaderTest(header, path, problems);
  return test === null
    ? null
    : new HeaderMatcher(name, test, header.invertMatch, header.treatMissingHeaderAsEmpty);
}

function compileHeaderTest(
  header: HeaderMatcherMessage,
  path: string,
  problems: ProblemList,
): HeaderTest | null {
  const specifier = header.headerMatchSpecifier;
  const deprecated = (kind: StringMatcherKind, value: string): HeaderTest | null => {
    const matcher = stringMatcher(kind, value, false, `${path}.${kind}_match`, problems);
    return matcher === null ? null : { kind: 'string', matcher };
  };
  switch (specifier?.$case) {
    case undefined:
      return { kind: 'present', isPresent: true };
    case 'presentMatch':
      return { kind: 'present', isPresent: specifier.value };
    case 'rangeMatch':
      return { kind: 'range', start: specifier.value.start, end: specifier.value.end };
    case 'exactMatch':
      // In Envoy, too, the deprecated exact_match of nothing asks for presence only.
      return specifier.value === ''
        ? { kind: 'present', isPresent: true }
        : deprecated('exact', specifier.value);
    case 'prefixMatch':
      return deprecated('prefix', specifier.value);
    case 'suffixMatch':
      return deprecated('suffix', specifier.value);
    case 'containsMatch':
      return deprecated('contains', specifier.value);
    case 'safeRegexMatch': {
      const matcher = compileRegex(specifier.value, `${path}.safe_regex_match`, problems);
      return matcher === null ? null : { kind: 'string', matcher };
    }
    case 'stringMatch': {
      const matcher = compileStringMatcher(specifier.value, `${path}.string_match`, problems);
      return matcher === null ? null : { kind: 'string', matcher };
    }
    default:
      return assertNever(specifier);
  }
}

function compileQuery(
  parameter: QueryParameterMatcherMessage,
  path: string,
  problems: ProblemList,
): QueryParameterMatcher | null {
  if (parameter.name === '') {
    problems.invalid(`${path}.name`, 'must not be empty');
    return null;
  }
  const specifier = parameter.queryParameterMatchSpecifier;
  switch (specifier?.$case) {
    case undefined:
    case 'presentMatch':
      // Envoy asks for presence whichever value present_match has.
      return new QueryParameterMatcher(parameter.name, null);
    case 'stringMatch': {
      const matcher = compileStringMatcher(specifier.value, `${path}.string_match`, problems);
      return matcher === null ? null : new QueryParameterMatcher(parameter.name, matcher);
    }
    default:
      return assertNever(specifier);
  }
}
