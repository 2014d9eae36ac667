// Istio's rules for a VirtualService that the shape of its fields can't express.
import type {
  Destination,
  HttpMatch,
  HttpRule,
  StringMatch,
  VirtualServiceSpec,
} from '../schema/virtual-service.ts';
import type { Path } from '../source/place.ts';
import { type Report, checkExportTo } from './check.ts';
import { checkAction, checkRegex } from './http-action.ts';
import { isAddress, isHostName, isLabel, isWildcard } from './names.ts';

const headerName = /^[-_a-z0-9]+$/;

/** Headers that Istio leaves unread because other fields of the match stand for them. */
const reservedHeaders = new Set(['uri', 'scheme', 'method', 'authority']);

/** Checks a spec that fits its schema; paths start at `spec`. */
export function checkVirtualService(spec: VirtualServiceSpec, report: Report): void {
  // At a gateway `*` is fine; that gateways are not supported is said for itself.
  const isForMesh = spec.gateways === undefined || spec.gateways.includes('mesh');
  checkHosts(spec.hosts ?? [], isForMesh, report);
  checkGateways(spec.gateways, ['spec', 'gateways'], report);
  checkExportTo(spec.exportTo, ['spec', 'exportTo'], report);
  if ([spec.http, spec.tls, spec.tcp].every((rules) => rules === undefined || rules.length === 0)) {
    report.missing(['spec', 'http'], 'a VirtualService needs at least one rule under http, tls or tcp');
  }
  for (const [index, rule] of (spec.http ?? []).entries()) checkRule(rule, ['spec', 'http', index], report);
}

function checkHosts(hosts: readonly string[], isForMesh: boolean, report: Report): void {
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const path = ['spec', 'hosts', index];
    const name = host.toLowerCase();
    if (name === '*' && isForMesh) {
      report.invalid(path, `the host '*' is only allowed at a gateway, not for traffic between services`);
    } else if (!isHostName(name) && !isWildcard(name) && !isAddress(name)) {
      report.invalid(path, `'${host}' is not a host: a DNS name, one with a leading '*.', or an IP address`);
    } else if (name.includes(':')) {
      report.unsupported(path, `the IPv6 address '${host}' as a host is not supported by Heddle yet`);
    } else if (seen.has(name)) {
      report.invalid(path, `the host '${host}' stands twice`);
    }
    seen.add(name);
  }
}

function checkGateways(gateways: readonly string[] | undefined, path: Path, report: Report): void {
  for (const [index, gateway] of (gateways ?? []).entries()) {
    if (gateway === 'mesh') continue;
    const hint = `'mesh', the sidecars, is what an absent 'gateways' means`;
    report.withoutEffect([...path, index], `gateways such as '${gateway}'`, hint);
  }
}

function checkRule(rule: HttpRule, path: Path, report: Report): void {
  const actions = (['route', 'redirect', 'directResponse', 'delegate'] as const).filter((action) => {
    const value = rule[action];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
  if (actions.length === 0) {
    report.missing([...path, 'route'], 'the rule says nothing about where requests go', 'give it a route');
  }
  if (actions.length > 1) {
    const [first, second] = actions;
    report.invalid([...path, second!], `a rule can't have both ${first} and ${second}`);
  }
  for (const [index, match] of (rule.match ?? []).entries())
    checkMatch(match, [...path, 'match', index], report);
  checkRoute(rule.route ?? [], [...path, 'route'], report);
  checkAction(rule, path, report);
  if (rule.mirror !== undefined) checkDestination(rule.mirror, [...path, 'mirror'], report);
  for (const [index, { destination }] of (rule.mirrors ?? []).entries())
    checkDestination(destination, [...path, 'mirrors', index, 'destination'], report);
}

function checkRoute(
  route: readonly { readonly destination: Destination; readonly weight?: number | undefined }[],
  path: Path,
  report: Report,
): void {
  for (const [index, { destination }] of route.entries()) {
    checkDestination(destination, [...path, index, 'destination'], report);
  }
  if (route.length < 2) return;
  let total = 0;
  for (const { weight } of route) total += weight ?? 0;
  if (total === 0) {
    report.invalid(
      path,
      'the weights of the destinations add up to 0, so no request could be sent',
      'give each a weight',
    );
  }
  if (total > 0xffff_ffff) report.invalid(path, `the weights add up to ${total}, more than 4294967295`);
}

function checkDestination({ host, subset }: Destination, path: Path, report: Report): void {
  if (isWildcard(host)) {
    report.unsupported(
      [...path, 'host'],
      `a destination with a wildcard ('${host}') is not supported by Heddle yet`,
    );
  } else if (!isHostName(host) && !isAddress(host)) {
    report.invalid([...path, 'host'], `'${host}' is not a host: a DNS name or an IP address`);
  }
  if (subset !== undefined && subset !== '' && !isLabel(subset)) {
    report.invalid([...path, 'subset'], `'${subset}' is not a valid name of a subset`, subsetRule);
  }
}

/** What the name of a subset may be. */
export const subsetRule = 'at most 63 lower-case letters, digits and -, a letter or digit at both ends';

function checkMatch(match: HttpMatch, path: Path, report: Report): void {
  for (const field of ['uri', 'scheme', 'method', 'authority'] as const) {
    const text = match[field];
    if (text !== undefined) checkText(text, field, [...path, field], report);
  }
  const start = match.uri?.exact ?? match.uri?.prefix;
  if (start !== undefined && start !== '' && !start.startsWith('/') && start !== '*') {
    const kind = match.uri?.exact === undefined ? 'prefix' : 'exact';
    report.doubtful([...path, 'uri', kind], `'${start}' matches no request: paths start with '/'`);
  }
  for (const field of ['headers', 'withoutHeaders'] as const) {
    for (const [name, text] of Object.entries(match[field] ?? {})) {
      checkHeader(name, [...path, field, name], report);
      checkPresenceOrText(text, name, [...path, field, name], report);
    }
  }
  for (const [name, text] of Object.entries(match.queryParams ?? {})) {
    if (name === '') report.invalid([...path, 'queryParams', name], 'a query parameter needs a name');
    checkPresenceOrText(text, name, [...path, 'queryParams', name], report);
  }
  if (match.sourceNamespace !== undefined && !isLabel(match.sourceNamespace)) {
    report.invalid([...path, 'sourceNamespace'], `'${match.sourceNamespace}' is not the name of a namespace`);
  }
  checkGateways(match.gateways, [...path, 'gateways'], report);
}

function checkText(text: StringMatch, name: string, path: Path, report: Report): void {
  if (text.regex !== undefined) {
    checkRegex(text.regex, [...path, 'regex'], report);
  } else if (text.exact === undefined && text.prefix === undefined) {
    report.missing(path, `${name} needs one of exact, prefix and regex`);
  } else if (text.exact === '' || text.prefix === '') {
    report.invalid(path, `${name} is compared with an empty text`, 'leave the field out to match everything');
  }
}

function checkPresenceOrText(text: StringMatch, name: string, path: Path, report: Report): void {
  if (text.regex !== undefined) checkRegex(text.regex, [...path, 'regex'], report);
  if (text.exact !== '' && text.prefix !== '') return;
  report.invalid(
    path,
    `'${name}' is compared with an empty text`,
    `write '${name}: {}' to ask that it is present`,
  );
}

function checkHeader(name: string, path: Path, report: Report): void {
  if (name.startsWith('@request.auth.claims')) {
    report.withoutEffect(path, 'matching by the claims of a token');
  } else if (reservedHeaders.has(name)) {
    report.invalid(
      path,
      `'${name}' among headers would be ignored`,
      `use the field '${name}' of the match itself`,
    );
  } else if (!headerName.test(name)) {
    const lower = name.toLowerCase();
    const hint = headerName.test(lower) ? `write '${lower}'` : undefined;
    const rule = 'a header name is written in lower-case letters, digits, - and _';
    report.invalid(path, `'${name}' is not a header name: ${rule}`, hint);
  }
}
