// From what a VirtualService's HTTP rule does to the model's actions.
import { parseDurationMs } from '../schema/fields.ts';
import type { Destination, HttpRule } from '../schema/virtual-service.ts';
import { compileHeaderChanges, splitAuthority } from './compile-header-changes.ts';
import { compileRetries } from './compile-retries.ts';
import type { MeshService } from './model.ts';
import type {
  DirectResponseAction,
  Mirror,
  PathRewrite,
  RedirectAction,
  RouteAction,
  WeightedDestination,
} from './route-model.ts';

export interface ActionContext {
  /** That clients connect to. */
  readonly port: number;
  /** The services of destinations, by host. */
  readonly services: ReadonlyMap<string, MeshService>;
}

/** Compiles what a rule does, whose hosts are full names; null where it does nothing that is known. */
export function compileAction(rule: HttpRule, context: ActionContext): RouteAction | null {
  if (rule.redirect !== undefined) return compileRedirect(rule.redirect, context.port);
  if (rule.directResponse !== undefined) return compileDirectResponse(rule.directResponse);
  if ((rule.route ?? []).length === 0) return null;
  const { authority } = splitAuthority(rule.headers);
  return {
    kind: 'forward',
    destinations: compileDestinations(rule, context),
    timeoutMs: wholeMs(rule.timeout),
    retries: rule.retries === undefined ? null : compileRetries(rule.retries),
    path: compileRewrite(rule.rewrite),
    authority: authority ?? rule.rewrite?.authority ?? null,
    mirrors: compileMirrors(rule, context),
  };
}

/** Whole milliseconds; 0 where nothing is said. */
export function wholeMs(duration: string | undefined): number {
  return Math.round(parseDurationMs(duration ?? '0') ?? 0);
}

function compileRedirect(redirect: NonNullable<HttpRule['redirect']>, port: number): RedirectAction {
  const status = redirect.redirectCode ?? 301;
  return {
    kind: 'redirect',
    status: isRedirectStatus(status) ? status : 301,
    scheme: redirect.scheme ?? null,
    host: redirect.authority ?? null,
    port: redirect.port ?? (redirect.derivePort === 'FROM_REQUEST_PORT' ? port : null),
    path: redirectPath(redirect),
  };
}

/** What redirects may answer with. */
export function isRedirectStatus(status: number): status is RedirectAction['status'] {
  return [301, 302, 303, 307, 308].includes(status);
}

function redirectPath({ uri, prefixRewrite }: NonNullable<HttpRule['redirect']>): RedirectAction['path'] {
  if (prefixRewrite !== undefined && prefixRewrite !== '') return { kind: 'replace', value: prefixRewrite };
  return uri === undefined || uri === '' ? null : { kind: 'full', value: uri };
}

function compileDirectResponse({
  status,
  body,
}: NonNullable<HttpRule['directResponse']>): DirectResponseAction {
  if (body?.bytes !== undefined)
    return { kind: 'direct-response', status, body: { encoding: 'base64', value: body.bytes } };
  const text = body?.string ?? '';
  return {
    kind: 'direct-response',
    status,
    body: text === '' ? null : { encoding: 'text', value: text },
  };
}

function compileRewrite(rewrite: HttpRule['rewrite']): PathRewrite | null {
  const { uri = '', uriRegexRewrite } = rewrite ?? {};
  if (uriRegexRewrite !== undefined) {
    const { match: pattern = '', rewrite: substitution = '' } = uriRegexRewrite;
    return { kind: 'regex', pattern, substitution };
  }
  return uri === '' ? null : { kind: 'replace', value: uri };
}

/** A single destination gets everything whatever its weight; of several those with weight 0 get nothing and are left out. */
function compileDestinations(rule: HttpRule, context: ActionContext): WeightedDestination[] {
  const route = rule.route ?? [];
  return route
    .filter(({ weight }) => route.length === 1 || (weight ?? 0) > 0)
    .map(({ destination, weight, headers }): WeightedDestination => {
      const { host, port, subset } = compileDestination(destination, context);
      return {
        host,
        port,
        subset,
        weight: Math.max(weight ?? 1, 1),
        headers: compileHeaderChanges(headers),
        authority: splitAuthority(headers).authority,
      };
    });
}

/** A service with one port needs no choice; otherwise the request keeps the port it came to. */
export function compileDestination(
  { host, port, subset }: Destination,
  context: ActionContext,
): Mirror['destination'] {
  const ports = context.services.get(host)?.ports ?? [];
  const only = ports.length === 1 ? ports[0]!.number : context.port;
  return { host, port: port?.number ?? only, subset: subset ?? '' };
}

/** `mirrors` exclude the older `mirror`. Copies of no request at all are none. */
function compileMirrors(rule: HttpRule, context: ActionContext): Mirror[] {
  const older = rule.mirrorPercentage?.value ?? rule.mirrorPercent ?? rule.mirror_percent ?? undefined;
  const isOlderUnset = rule.mirrorPercentage === undefined && older === undefined;
  const single =
    rule.mirror === undefined
      ? []
      : [{ destination: rule.mirror, percent: isOlderUnset ? 100 : (older ?? 0) }];
  const several = (rule.mirrors ?? []).map(({ destination, percentage }) => ({
    destination,
    percent: percentage === undefined ? 100 : (percentage.value ?? 0),
  }));
  return [...several, ...single]
    .filter(({ percent }) => percent > 0)
    .map(({ destination, percent }) => ({
      destination: compileDestination(destination, context),
      percent: Math.min(percent, 100),
    }));
}
