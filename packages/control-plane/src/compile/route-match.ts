/** Which requests a route is for: from the model's conditions to Envoy's. */
import { assertNever } from '@heddle/base';
import type { HeaderMatch, RouteMatch as ModelMatch, TextMatch } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import type {
  HeaderMatcher,
  QueryParameterMatcher,
  RouteMatch,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { StringMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/string.ts';

export function compileMatch(match: ModelMatch): DeepPartial<RouteMatch> {
  const pseudo = (name: string, text: TextMatch | null): HeaderMatch[] =>
    text === null ? [] : [{ name, match: text, invert: false }];
  const headers = [
    ...pseudo(':scheme', match.scheme),
    ...pseudo(':method', match.method),
    ...pseudo(':authority', match.authority),
    ...match.headers,
  ];
  return {
    pathSpecifier: pathSpecifier(match.path),
    ...(match.path?.ignoreCase === true ? { caseSensitive: false } : {}),
    headers: headers.map(compileHeader),
    queryParameters: match.queryParameters.map(
      ({ name, match: text }): DeepPartial<QueryParameterMatcher> => ({
        name,
        queryParameterMatchSpecifier:
          text.kind === 'present'
            ? { $case: 'presentMatch', value: true }
            : { $case: 'stringMatch', value: compileText(text) },
      }),
    ),
  };
}

function pathSpecifier(path: ModelMatch['path']): DeepPartial<RouteMatch>['pathSpecifier'] {
  if (path === null) return { $case: 'prefix', value: '/' };
  switch (path.kind) {
    case 'exact':
      return { $case: 'path', value: path.value };
    case 'prefix':
      return { $case: 'prefix', value: path.value };
    case 'regex':
      return { $case: 'safeRegex', value: { regex: path.value } };
    case 'segments':
      // Every path begins with a slash: Envoy has no form of this for all of them.
      return path.value === '/'
        ? { $case: 'prefix', value: '/' }
        : { $case: 'pathSeparatedPrefix', value: path.value };
    default:
      return assertNever(path.kind);
  }
}

function compileHeader({ name, match, invert }: HeaderMatch): DeepPartial<HeaderMatcher> {
  if (match.kind === 'present')
    return {
      name,
      headerMatchSpecifier: { $case: 'presentMatch', value: true },
      invertMatch: invert,
    };
  return {
    name,
    headerMatchSpecifier: { $case: 'stringMatch', value: compileText(match) },
    invertMatch: invert,
    // As in Istio: a request without the header is one without this value.
    treatMissingHeaderAsEmpty: invert,
  };
}

export function compileText(text: Exclude<TextMatch, { kind: 'present' }>): DeepPartial<StringMatcher> {
  if (text.kind === 'regex') return { matchPattern: { $case: 'safeRegex', value: { regex: text.value } } };
  return { matchPattern: { $case: text.kind, value: text.value } };
}
