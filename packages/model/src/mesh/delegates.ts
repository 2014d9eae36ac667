// VirtualServices that leave rules to others: the rules of both as one, as Istio joins them.
import { type ObjectKey, type VirtualService, keyOf } from '../manifest/object.ts';
import type { Destination, HttpMatch, HttpRule, StringMatch } from '../schema/virtual-service.ts';
import { expandHost } from './host-name.ts';
import { isVisible } from './visibility.ts';

/** A rule as it holds: with full names of hosts, and where it was written. */
export interface WrittenRule {
  readonly rule: HttpRule;
  readonly object: ObjectKey;
  readonly path: string;
  /** Matches of two objects were joined: they stand at no place of their own. */
  readonly isMerged: boolean;
}

/** Finds the VirtualService that a rule is left to; undefined where there is none. */
export type FindDelegate = (namespace: string, name: string) => VirtualService | undefined;

/** The object that a rule is left to; null where it isn't. */
export function delegateOf(
  rule: HttpRule,
  root: VirtualService,
): { readonly namespace: string; readonly name: string } | null {
  const { name = '', namespace = root.metadata.namespace } = rule.delegate ?? {};
  return name === '' ? null : { namespace: namespace === '' ? root.metadata.namespace : namespace, name };
}

/** The rules of an object, each that it leaves to another replaced by the other's. */
export function writtenRules(root: VirtualService, find: FindDelegate, domain: string): WrittenRule[] {
  return (root.spec.http ?? []).flatMap((rule, index): WrittenRule[] => {
    const own = { ...expandRule(rule, root.metadata.namespace, domain) };
    const reference = delegateOf(rule, root);
    if (reference === null)
      return [{ rule: own, object: keyOf(root), path: `spec.http[${index}]`, isMerged: false }];
    const delegate = find(reference.namespace, reference.name);
    if (delegate === undefined || !isDelegate(delegate) || !isVisible(delegate, root.metadata.namespace))
      return [];
    return mergeDelegate(own, delegate, domain);
  });
}

/** Whether an object is there to be delegated to: it names no hosts. */
export function isDelegate({ spec }: VirtualService): boolean {
  return (spec.hosts ?? []).length === 0;
}

function mergeDelegate(root: HttpRule, delegate: VirtualService, domain: string): WrittenRule[] {
  const { delegate: _reference, ...shared } = root;
  return (delegate.spec.http ?? []).flatMap((rule, index): WrittenRule[] => {
    // One level only.
    if (rule.delegate !== undefined) return [];
    const own = expandRule(rule, delegate.metadata.namespace, domain);
    const match = mergeMatches(root.match ?? [], own.match ?? []);
    if (match === null) return [];
    const merged: HttpRule = { ...shared, ...own, match, name: joinNames(root.name, own.name) };
    const isMerged = (root.match ?? []).length > 0;
    return [{ rule: merged, object: keyOf(delegate), path: `spec.http[${index}]`, isMerged }];
  });
}

function joinNames(root: string | undefined, own: string | undefined): string {
  return [root ?? '', own ?? ''].filter((name) => name !== '').join('-');
}

/** Null where a match of the delegate lies outside of all of the root's. */
function mergeMatches(root: readonly HttpMatch[], own: readonly HttpMatch[]): HttpMatch[] | null {
  if (root.length === 0) return [...own];
  if (own.length === 0) return [...root];
  const merged: HttpMatch[] = [];
  for (const narrow of own) {
    const wide = root.filter((candidate) => isWithin(narrow, candidate));
    if (wide.length === 0) return null;
    for (const candidate of wide) merged.push(mergeMatch(candidate, narrow));
  }
  return merged;
}

function mergeMatch(root: HttpMatch, own: HttpMatch): HttpMatch {
  const name = joinNames(root.name, own.name);
  return {
    ...root,
    ...own,
    ...(name === '' ? {} : { name }),
    headers: { ...root.headers, ...own.headers },
    withoutHeaders: { ...root.withoutHeaders, ...own.withoutHeaders },
    queryParams: { ...root.queryParams, ...own.queryParams },
    sourceLabels: { ...root.sourceLabels, ...own.sourceLabels },
  };
}

/** Whether the delegate's match may stand below the root's. */
function isWithin(own: HttpMatch, root: HttpMatch): boolean {
  const texts = (['uri', 'scheme', 'method', 'authority'] as const).every((field) =>
    isNarrower(own[field], root[field]),
  );
  const maps = (['headers', 'withoutHeaders', 'queryParams'] as const).every((field) =>
    Object.entries(own[field] ?? {}).every(([name, text]) => isNarrower(text, root[field]?.[name])),
  );
  const labels = Object.entries(own.sourceLabels ?? {}).every(
    ([name, value]) => (root.sourceLabels?.[name] ?? value) === value,
  );
  const ports = root.port === undefined || own.port === undefined || root.port === own.port;
  const namespaces = root.sourceNamespace === undefined || own.sourceNamespace === root.sourceNamespace;
  const cases = (root.ignoreUriCase ?? false) === (own.ignoreUriCase ?? false);
  const gateways =
    (root.gateways ?? []).length === 0 ||
    (own.gateways ?? []).every((gateway) => root.gateways?.includes(gateway));
  return texts && maps && labels && ports && namespaces && cases && gateways;
}

/** Whether all that one text matches is matched by the other, as far as Istio looks; regular expressions go with nothing. */
function isNarrower(own: StringMatch | undefined, root: StringMatch | undefined): boolean {
  if (own === undefined || root === undefined) return true;
  if (own.regex !== undefined || root.regex !== undefined) return false;
  if (root.exact !== undefined) return own.exact === root.exact;
  if (root.prefix === undefined) return true;
  return (own.exact ?? own.prefix ?? '').startsWith(root.prefix);
}

/** A rule with the full names of its hosts. */
function expandRule(rule: HttpRule, namespace: string, domain: string): HttpRule {
  const expand = (destination: Destination): Destination => ({
    ...destination,
    host: expandHost(destination.host, namespace, domain),
  });
  const expanded = { ...rule };
  if (rule.mirror !== undefined) expanded.mirror = expand(rule.mirror);
  if (rule.mirrors !== undefined) expanded.mirrors = expandAll(rule.mirrors, expand);
  if (rule.route !== undefined) expanded.route = expandAll(rule.route, expand);
  return expanded;
}

function expandAll<T extends { destination: Destination }>(
  list: readonly T[],
  expand: (destination: Destination) => Destination,
): T[] {
  return list.map((one) => Object.assign({}, one, { destination: expand(one.destination) }));
}

/** The hosts that a rule sends requests to, mirrors included. */
export function hostsOfRule({ route = [], mirror, mirrors = [] }: HttpRule): string[] {
  const destinations = [...route, ...mirrors].map(({ destination }) => destination.host);
  return mirror === undefined ? destinations : [...destinations, mirror.host];
}
