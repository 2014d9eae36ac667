// Conditions of HTTPRoutes and GRPCRoutes, and which of several comes first.
import { Regex } from '@heddle/base/regex/regex.ts';
import type { HttpRouteSpec } from '../schema/gateway-api/http-route.ts';
import type { GrpcRouteSpec } from '../schema/gateway-api/other-routes.ts';
import { everything } from './compile-match.ts';
import type { PathMatch, RouteMatch, TextMatch } from './route-model.ts';

type HttpMatch = NonNullable<NonNullable<HttpRouteSpec['rules']>[number]['matches']>[number];
type GrpcMatch = NonNullable<NonNullable<GrpcRouteSpec['rules']>[number]['matches']>[number];
type NamedMatch = NonNullable<HttpMatch['headers']>[number];

/** Null for a condition that no request can be asked: its regular expression is none. */
export function httpMatch(match: HttpMatch): RouteMatch | null {
  const path = httpPath(match.path);
  const headers = namedTexts(match.headers, (name) => name.toLowerCase());
  const queryParameters = namedTexts(match.queryParams, (name) => name);
  if (path === null || headers === null || queryParameters === null) return null;
  return {
    ...everything,
    path,
    method: match.method === undefined ? null : { kind: 'exact', value: match.method },
    headers: headers.map(({ name, match: text }) => ({ name, match: text, invert: false })),
    queryParameters,
  };
}

/** The same of a GRPCRoute. */
export function grpcMatch(match: GrpcMatch): RouteMatch | null {
  const path = grpcPath(match.method);
  const headers = namedTexts(match.headers, (name) => name.toLowerCase());
  if (path === undefined || headers === null) return null;
  return {
    ...everything,
    path,
    headers: headers.map(({ name, match: text }) => ({ name, match: text, invert: false })),
  };
}

function httpPath({
  type = 'PathPrefix',
  value = '/',
}: NonNullable<HttpMatch['path']> = {}): PathMatch | null {
  if (type === 'Exact') return { kind: 'exact', value, ignoreCase: false };
  if (type === 'RegularExpression')
    return isRegex(value) ? { kind: 'regex', value, ignoreCase: false } : null;
  return { kind: 'segments', value: value.replace(/\/+$/, '') || '/', ignoreCase: false };
}

/** Null for all paths, undefined for what can't be asked. */
function grpcPath(method: GrpcMatch['method']): PathMatch | null | undefined {
  if (method === undefined) return null;
  const { type = 'Exact', service = '', method: name = '' } = method;
  if (type === 'Exact') {
    if (service !== '' && name !== '')
      return { kind: 'exact', value: `/${service}/${name}`, ignoreCase: false };
    if (service !== '') return { kind: 'prefix', value: `/${service}/`, ignoreCase: false };
    return { kind: 'regex', value: `/[^/]+/${name.replaceAll('.', '\\.')}`, ignoreCase: false };
  }
  const value = `/${service || '[^/]+'}/${name || '[^/]+'}`;
  return isRegex(value) ? { kind: 'regex', value, ignoreCase: false } : undefined;
}

function namedTexts(
  list: readonly NamedMatch[] | undefined,
  nameOf: (name: string) => string,
): { readonly name: string; readonly match: TextMatch }[] | null {
  const texts = new Map<string, TextMatch>();
  for (const { type = 'Exact', name, value } of list ?? []) {
    if (type === 'RegularExpression' && !isRegex(value)) return null;
    const kind = type === 'Exact' ? 'exact' : 'regex';
    // Of two for one name the first counts.
    if (!texts.has(nameOf(name))) texts.set(nameOf(name), { kind, value });
  }
  return [...texts].map(([name, match]) => ({ name, match }));
}

function isRegex(text: string): boolean {
  return text !== '' && Regex.compile(text).ok;
}

const ranks: Readonly<Record<PathMatch['kind'], number>> = { exact: 3, regex: 2, prefix: 1, segments: 1 };

/** The Gateway API's order: exact paths, longer ones, methods, more headers, more query parameters. */
export function compareMatches(a: RouteMatch, b: RouteMatch): number {
  const rank = ({ path }: RouteMatch): number => (path === null ? 1 : ranks[path.kind]);
  const length = ({ path }: RouteMatch): number => path?.value.length ?? 0;
  return (
    rank(b) - rank(a) ||
    length(b) - length(a) ||
    Number(b.method !== null) - Number(a.method !== null) ||
    b.headers.length - a.headers.length ||
    b.queryParameters.length - a.queryParameters.length
  );
}
