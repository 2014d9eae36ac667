// From a match block of a VirtualService to the conditions that a request must fulfil.
import type { HttpMatch, StringMatch } from '../schema/virtual-service.ts';
import type { HeaderMatch, RouteMatch, TextMatch } from './route-model.ts';

export const everything: RouteMatch = {
  path: null,
  scheme: null,
  method: null,
  authority: null,
  headers: [],
  queryParameters: [],
};

/** Whether all conditions are known to the model: a match of which one would be left out would match too much. */
export function isCompiled({ headers = {}, withoutHeaders = {} }: HttpMatch): boolean {
  return ![headers, withoutHeaders].flatMap(Object.keys).some((name) => name.startsWith('@'));
}

/** Whether a match passes every request. */
export function isEverything(match: RouteMatch): boolean {
  const { path } = match;
  const isAnyPath =
    path === null || (path.value === '/' && (path.kind === 'prefix' || path.kind === 'segments'));
  return (
    isAnyPath &&
    match.scheme === null &&
    match.method === null &&
    match.authority === null &&
    match.headers.length === 0 &&
    match.queryParameters.length === 0
  );
}

export function compileMatch(match: HttpMatch): RouteMatch {
  const { uri } = match;
  return {
    path: uri === undefined ? null : compilePath(uri, match.ignoreUriCase ?? false),
    scheme: match.scheme === undefined ? null : compileText(match.scheme),
    method: match.method === undefined ? null : compileText(match.method),
    authority: match.authority === undefined ? null : compileText(match.authority),
    headers: [...compileHeaders(match.headers, false), ...compileHeaders(match.withoutHeaders, true)],
    queryParameters: Object.entries(match.queryParams ?? {}).map(([name, text]) => ({
      name,
      match: compileText(text),
    })),
  };
}

function compilePath(uri: StringMatch, ignoresCase: boolean): RouteMatch['path'] {
  if (uri.regex !== undefined) return { kind: 'regex', value: uri.regex, ignoreCase: false };
  if (uri.exact !== undefined) return { kind: 'exact', value: uri.exact, ignoreCase: ignoresCase };
  return { kind: 'prefix', value: uri.prefix ?? '', ignoreCase: ignoresCase };
}

function compileHeaders(
  headers: Readonly<Record<string, StringMatch>> | undefined,
  invert: boolean,
): HeaderMatch[] {
  return Object.entries(headers ?? {}).map(([name, text]) => ({
    name: name.toLowerCase(),
    match: compileText(text),
    invert,
  }));
}

function compileText(text: StringMatch): TextMatch {
  if (text.exact !== undefined) return { kind: 'exact', value: text.exact };
  if (text.prefix !== undefined) return { kind: 'prefix', value: text.prefix };
  return text.regex === undefined ? { kind: 'present' } : { kind: 'regex', value: text.regex };
}
