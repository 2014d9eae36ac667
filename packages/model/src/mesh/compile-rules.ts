// From a VirtualService's HTTP rules to the ordered rules of one port, as clients of one namespace meet them.
import { type VirtualService, keyOf } from '../manifest/object.ts';
import { parseDurationMs } from '../schema/fields.ts';
import type { Destination, HttpMatch, HttpRule, StringMatch } from '../schema/virtual-service.ts';
import { expandHost } from './host-name.ts';
import type { MeshService, RouteMatch, RouteRule, TextMatch, WeightedDestination } from './model.ts';

export interface RuleContext {
  readonly domain: string;
  /** Of the clients. */
  readonly namespace: string;
  /** That clients connect to. */
  readonly port: number;
  /** The services of destinations, by host. */
  readonly services: ReadonlyMap<string, MeshService>;
}

const everything: RouteMatch = {
  path: null,
  method: null,
  authority: null,
  headers: [],
  queryParameters: [],
};

/** The rule of a host for which nobody wrote one: all requests to all instances. */
export function defaultRule(host: string, port: number): RouteRule {
  const destinations = [{ host, port, subset: '', weight: 1 }];
  return { name: 'default', match: everything, destinations, timeoutMs: 0, origin: null };
}

/** The rules that apply at one port, up to the first that matches everything. Empty where none does. */
export function compileRules(object: VirtualService, context: RuleContext): RouteRule[] {
  const rules: RouteRule[] = [];
  for (const [index, rule] of (object.spec.http ?? []).entries()) {
    // Redirects and the like are not compiled yet, which the object's status says.
    if ((rule.route ?? []).length === 0) continue;
    const destinations = compileDestinations(rule, object.metadata.namespace, context);
    const timeoutMs = Math.round(parseDurationMs(rule.timeout ?? '0') ?? 0);
    const path = `spec.http[${index}]`;
    const matches = rule.match ?? [];
    if (matches.length === 0) {
      const origin = { object: keyOf(object), path };
      rules.push({ name: rule.name ?? '', match: everything, destinations, timeoutMs, origin });
    }
    for (const [matchIndex, match] of matches.entries()) {
      if (!isApplicable(match, context)) continue;
      rules.push({
        name: [rule.name ?? '', match.name ?? ''].filter((name) => name !== '').join('.'),
        match: compileMatch(match),
        destinations,
        timeoutMs,
        origin: { object: keyOf(object), path: `${path}.match[${matchIndex}]` },
      });
    }
    const end = rules.findIndex((compiled) => isEverything(compiled.match));
    if (end >= 0) return rules.slice(0, end + 1);
  }
  return rules;
}

/** Whether a match block is for these clients at this port at all; what it asks of requests comes later. */
function isApplicable(match: HttpMatch, context: RuleContext): boolean {
  if (match.port !== undefined && match.port !== context.port) return false;
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== context.namespace) return false;
  if (!isCompiled(match)) return false;
  return match.gateways === undefined || match.gateways.length === 0 || match.gateways.includes('mesh');
}

/** Whether all conditions are known to the model: a match of which one would be left out would match too much. */
function isCompiled({ uri, method, authority, scheme, sourceLabels, ...match }: HttpMatch): boolean {
  if (scheme !== undefined || sourceLabels !== undefined) return false;
  const named = [match.headers, match.withoutHeaders, match.queryParams].map((texts) => texts ?? {});
  const names = named.flatMap((texts) => Object.keys(texts));
  const texts = [uri, method, authority, ...named.flatMap((found) => Object.values(found))];
  return !names.some((name) => name.startsWith('@')) && texts.every((text) => text?.regex === undefined);
}

function isEverything(match: RouteMatch): boolean {
  return (
    (match.path === null || (match.path.kind === 'prefix' && match.path.value === '/')) &&
    match.method === null &&
    match.authority === null &&
    match.headers.length === 0 &&
    match.queryParameters.length === 0
  );
}

function compileMatch(match: HttpMatch): RouteMatch {
  const { uri } = match;
  return {
    path:
      uri === undefined
        ? null
        : {
            kind: uri.exact === undefined ? 'prefix' : 'exact',
            value: uri.exact ?? uri.prefix ?? '',
            ignoreCase: match.ignoreUriCase ?? false,
          },
    method: match.method === undefined ? null : compileText(match.method),
    authority: match.authority === undefined ? null : compileText(match.authority),
    headers: [...compileHeaders(match.headers, false), ...compileHeaders(match.withoutHeaders, true)],
    queryParameters: Object.entries(match.queryParams ?? {}).map(([name, text]) => ({
      name,
      match: compileText(text),
    })),
  };
}

function compileHeaders(headers: HttpMatch['headers'], invert: boolean): RouteMatch['headers'] {
  return Object.entries(headers ?? {}).map(([name, text]) => ({ name, match: compileText(text), invert }));
}

function compileText(text: StringMatch): TextMatch {
  if (text.exact !== undefined) return { kind: 'exact', value: text.exact };
  return text.prefix === undefined ? { kind: 'present' } : { kind: 'prefix', value: text.prefix };
}

/** A single destination gets everything whatever its weight; of several those with weight 0 get nothing and are left out. */
function compileDestinations(rule: HttpRule, namespace: string, context: RuleContext): WeightedDestination[] {
  const route = rule.route ?? [];
  return route
    .filter(({ weight }) => route.length === 1 || (weight ?? 0) > 0)
    .map(({ destination, weight }) =>
      compileDestination(destination, Math.max(weight ?? 1, 1), namespace, context),
    );
}

function compileDestination(
  destination: Destination,
  weight: number,
  namespace: string,
  context: RuleContext,
): WeightedDestination {
  const host = expandHost(destination.host, namespace, context.domain);
  const ports = context.services.get(host)?.ports ?? [];
  // A service with one port needs no choice; otherwise the request keeps the port it came to.
  const only = ports.length === 1 ? ports[0]!.number : context.port;
  return { host, port: destination.port?.number ?? only, subset: destination.subset ?? '', weight };
}
