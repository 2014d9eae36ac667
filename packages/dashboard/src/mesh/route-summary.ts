import { asList, asNumber, asRecord, asText } from './field.ts';

export interface RouteDestination {
  readonly host: string;
  /** Empty where the route names none. */
  readonly subset: string;
  readonly port: number | null;
  /** Its part of the requests, between 0 and 1. */
  readonly share: number;
}

/** One entry of a VirtualService's `spec.http`, in words. */
export interface RouteSummary {
  /** Empty where the route has none. */
  readonly name: string;
  /** Any of these; each is a list of conditions that all have to hold. Empty: every request. */
  readonly matches: readonly (readonly string[])[];
  readonly destinations: readonly RouteDestination[];
  /** What else it does, such as `timeout 5s`. */
  readonly actions: readonly string[];
}

/** Reads the HTTP routes of a VirtualService's spec, in the order in which they are tried. */
export function summarizeRoutes(spec: Readonly<Record<string, unknown>>): RouteSummary[] {
  return asList(spec.http).map((entry) => {
    const route = asRecord(entry);
    return {
      name: asText(route.name),
      matches: asList(route.match).map((match) => conditionsOf(asRecord(match))),
      destinations: destinationsOf(asList(route.route)),
      actions: actionsOf(route),
    };
  });
}

/** Destinations without any weight share the requests as Istio does: one gets all, several get what their weights say. */
function destinationsOf(entries: readonly unknown[]): RouteDestination[] {
  const weights = entries.map(
    (entry) => asNumber(asRecord(entry).weight) ?? (entries.length === 1 ? 100 : 0),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return entries.map((entry, index) => {
    const destination = asRecord(asRecord(entry).destination);
    return {
      host: asText(destination.host),
      subset: asText(destination.subset),
      port: asNumber(asRecord(destination.port).number),
      share: total > 0 ? (weights[index] ?? 0) / total : 1 / entries.length,
    };
  });
}

const MATCHED_TEXTS = [
  ['uri', 'path'],
  ['method', 'method'],
  ['authority', 'host'],
  ['scheme', 'scheme'],
] as const;

function conditionsOf(match: Readonly<Record<string, unknown>>): string[] {
  const conditions: string[] = [];
  for (const [field, name] of MATCHED_TEXTS) {
    if (match[field] !== undefined) conditions.push(`${name} ${wordsOf(asRecord(match[field]))}`);
  }
  for (const [name, value] of Object.entries(asRecord(match.headers))) {
    conditions.push(`header ${name} ${wordsOf(asRecord(value))}`);
  }
  for (const [name, value] of Object.entries(asRecord(match.withoutHeaders))) {
    conditions.push(`not header ${name} ${wordsOf(asRecord(value))}`);
  }
  for (const [name, value] of Object.entries(asRecord(match.queryParams))) {
    conditions.push(`query ${name} ${wordsOf(asRecord(value))}`);
  }
  if (match.port !== undefined) conditions.push(`port = ${asText(match.port)}`);
  if (match.sourceNamespace !== undefined) conditions.push(`from namespace ${asText(match.sourceNamespace)}`);
  for (const [name, value] of Object.entries(asRecord(match.sourceLabels))) {
    conditions.push(`from ${name}=${asText(value)}`);
  }
  return conditions;
}

function wordsOf(match: Readonly<Record<string, unknown>>): string {
  if (match.exact !== undefined) return `= ${asText(match.exact)}`;
  if (match.prefix !== undefined) return `starts with ${asText(match.prefix)}`;
  if (match.regex !== undefined) return `matches ${asText(match.regex)}`;
  return 'is present';
}

function actionsOf(route: Readonly<Record<string, unknown>>): string[] {
  const actions: string[] = [];
  if (route.redirect !== undefined) actions.push('redirects');
  if (route.directResponse !== undefined)
    actions.push(`answers ${asText(asRecord(route.directResponse).status)}`);
  if (route.rewrite !== undefined) actions.push('rewrites');
  if (route.timeout !== undefined) actions.push(`timeout ${asText(route.timeout)}`);
  const retries = asRecord(route.retries);
  if (retries.attempts !== undefined) actions.push(`${asText(retries.attempts)} retries`);
  const fault = asRecord(route.fault);
  if (fault.delay !== undefined) actions.push('injects a delay');
  if (fault.abort !== undefined) actions.push('injects failures');
  const mirrors = [...asList(route.mirrors).map((mirror) => asRecord(mirror).destination), route.mirror];
  for (const mirror of mirrors) {
    if (mirror !== undefined) actions.push(`mirrors to ${asText(asRecord(mirror).host)}`);
  }
  return actions;
}
