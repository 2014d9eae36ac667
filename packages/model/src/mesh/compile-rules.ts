// From a VirtualService's HTTP rules to the ordered rules of one port, as clients of one namespace meet them.
import type { HttpMatch } from '../schema/virtual-service.ts';
import { type ActionContext, compileAction } from './compile-action.ts';
import { compileCors } from './compile-cors.ts';
import { compileFault } from './compile-fault.ts';
import { compileHeaderChanges } from './compile-header-changes.ts';
import { compileMatch, everything, isCompiled, isEverything } from './compile-match.ts';
import type { WrittenRule } from './delegates.ts';
import type { ForwardAction, RouteRule } from './route-model.ts';

export interface RuleContext extends ActionContext {
  /** Of the clients. */
  readonly namespace: string;
}

/** The rule of a host for which nobody wrote one: all requests to all instances. */
export function defaultRule(host: string, port: number): RouteRule {
  const destination = { host, port, subset: '', weight: 1, headers: null, authority: null };
  return {
    name: 'default',
    match: everything,
    sourceLabels: null,
    action: { ...plainForward, destinations: [destination] },
    headers: null,
    fault: null,
    cors: null,
    statPrefix: '',
    origin: null,
  };
}

/** What an action that sends requests on says where nobody says more. */
export const plainForward: Omit<ForwardAction, 'destinations'> = {
  kind: 'forward',
  timeoutMs: 0,
  retries: null,
  path: null,
  authority: null,
  mirrors: [],
};

/** The rules that apply at one port, up to the first that matches everything. Empty where none does. */
export function compileRules(written: readonly WrittenRule[], context: RuleContext): RouteRule[] {
  const rules: RouteRule[] = [];
  for (const { rule, object, path, isMerged } of written) {
    const action = compileAction(rule, context);
    if (action === null) continue;
    const common = {
      action,
      headers: compileHeaderChanges(rule.headers),
      fault: compileFault(rule),
      cors: compileCors(rule),
    };
    const matches = rule.match ?? [];
    if (matches.length === 0) {
      const origin = { object, path };
      const unconditional = { match: everything, sourceLabels: null, statPrefix: '' };
      rules.push({ name: rule.name ?? '', ...unconditional, ...common, origin });
    }
    for (const [index, match] of matches.entries()) {
      if (!isApplicable(match, context)) continue;
      rules.push({
        name: [rule.name ?? '', match.name ?? ''].filter((name) => name !== '').join('.'),
        match: compileMatch(match),
        sourceLabels: labelsOf(match),
        ...common,
        statPrefix: match.statPrefix ?? '',
        origin: { object, path: isMerged ? path : `${path}.match[${index}]` },
      });
    }
    const end = rules.findIndex((compiled) => compiled.sourceLabels === null && isEverything(compiled.match));
    if (end >= 0) return rules.slice(0, end + 1);
  }
  return rules;
}

function labelsOf({ sourceLabels }: HttpMatch): RouteRule['sourceLabels'] {
  return sourceLabels === undefined || Object.keys(sourceLabels).length === 0 ? null : sourceLabels;
}

/** Whether a match block is for these clients at this port at all; what it asks of requests comes later. */
function isApplicable(match: HttpMatch, context: RuleContext): boolean {
  if (match.port !== undefined && match.port !== context.port) return false;
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== context.namespace) return false;
  if (!isCompiled(match)) return false;
  return match.gateways === undefined || match.gateways.length === 0 || match.gateways.includes('mesh');
}
