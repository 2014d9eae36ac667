// What sidecars would not take of HTTPRoutes and GRPCRoutes, and what of them has no effect yet.
import type { GatewayRoute } from '../mesh/gateway-routes.ts';
import type { HttpRouteSpec } from '../schema/gateway-api/http-route.ts';
import type { Path } from '../source/place.ts';
import type { Report } from './check.ts';
import { checkRegex } from './http-action.ts';

type HttpRule = NonNullable<HttpRouteSpec['rules']>[number];
type Filter = NonNullable<HttpRule['filters']>[number];

/** Checks a route that fits its schema. */
export function checkGatewayRoute(object: GatewayRoute, report: Report): void {
  for (const [index, { kind = 'Gateway' }] of (object.spec.parentRefs ?? []).entries())
    if (kind !== 'Service') report.withoutEffect(['spec', 'parentRefs', index], 'routes of gateways');
  if ((object.spec.hostnames ?? []).length > 0)
    report.withoutEffect(['spec', 'hostnames'], 'names of their own for routes of Services');
  for (const [index, rule] of (object.spec.rules ?? []).entries()) {
    const path: Path = ['spec', 'rules', index];
    if (rule.sessionPersistence !== undefined)
      report.withoutEffect([...path, 'sessionPersistence'], 'sessions that stay with an endpoint');
    checkFilters(rule.filters ?? [], [...path, 'filters'], report);
  }
  if (object.kind === 'GRPCRoute') checkGrpcMatches(object, report);
  else checkHttpMatches(object.spec, report);
}

function checkHttpMatches(spec: HttpRouteSpec, report: Report): void {
  for (const [index, rule] of (spec.rules ?? []).entries())
    for (const [position, match] of (rule.matches ?? []).entries()) {
      const place: Path = ['spec', 'rules', index, 'matches', position];
      if (match.path?.type === 'RegularExpression')
        checkRegex(match.path.value ?? '', [...place, 'path', 'value'], report);
      for (const field of ['headers', 'queryParams'] as const)
        for (const [at, { type, value }] of (match[field] ?? []).entries())
          if (type === 'RegularExpression') checkRegex(value, [...place, field, at, 'value'], report);
    }
}

function checkGrpcMatches({ spec }: Extract<GatewayRoute, { kind: 'GRPCRoute' }>, report: Report): void {
  for (const [index, rule] of (spec.rules ?? []).entries())
    for (const [position, { method, headers }] of (rule.matches ?? []).entries()) {
      const place: Path = ['spec', 'rules', index, 'matches', position];
      for (const field of ['service', 'method'] as const)
        if (method?.type === 'RegularExpression' && method[field] !== undefined)
          checkRegex(method[field], [...place, 'method', field], report);
      for (const [at, { type, value }] of (headers ?? []).entries())
        if (type === 'RegularExpression') checkRegex(value, [...place, 'headers', at, 'value'], report);
    }
}

function checkFilters(filters: readonly Filter[], path: Path, report: Report): void {
  for (const [index, { type, urlRewrite, requestRedirect }] of filters.entries()) {
    const place = [...path, index];
    if (type === 'ExtensionRef' || type === 'ExternalAuth')
      report.doubtful(place, `requests of the rule get 500: Heddle has no filters of the type ${type} yet`);
    for (const { replaceFullPath = '', replacePrefixMatch = '' } of [
      urlRewrite?.path,
      requestRedirect?.path,
    ].filter((modifier) => modifier !== undefined))
      if (/[^\x21-\x7e]|#/.test(replaceFullPath + replacePrefixMatch))
        report.invalid([...place], 'the path holds characters that no path may hold');
  }
}
