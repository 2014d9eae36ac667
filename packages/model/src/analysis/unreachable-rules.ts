// HTTP rules and matches that an earlier rule leaves no request for (IST0130, IST0131).
import { type VirtualService, keyOf } from '../manifest/object.ts';
import type { HttpMatch } from '../schema/virtual-service.ts';
import type { Finding } from './finding.ts';

interface Earlier {
  readonly key: string;
  readonly match: HttpMatch;
  readonly rule: string;
}

/** Rules of one VirtualService that can never decide. */
export function findUnreachableRules(object: VirtualService): Finding[] {
  const { http = [], tls = [], tcp = [] } = object.spec;
  return [
    ...findUnreachable(object, 'http', http),
    ...findUnreachable(object, 'tls', tls),
    ...findUnreachable(object, 'tcp', tcp),
  ];
}

/** What rules for HTTP, TLS and TCP have in common here. */
interface Rule {
  readonly name?: string | undefined;
  readonly match?: readonly HttpMatch[] | undefined;
}

function findUnreachable(object: VirtualService, kind: string, rules: readonly Rule[]): Finding[] {
  const findings: Finding[] = [];
  const earlier: Earlier[] = [];
  let everything: string | undefined;
  for (const [index, rule] of rules.entries()) {
    const path = `spec.${kind}[${index}]`;
    const label = labelOf(rule, index);
    if (everything !== undefined) {
      findings.push(
        unreachable(object, path, `${label} is never reached: ${everything} before it takes every request`),
      );
    }
    const matches = rule.match ?? [];
    if (matches.length === 0) everything ??= label;
    let repeated = 0;
    for (const [matchIndex, match] of matches.entries()) {
      const key = canonical(match);
      const same = earlier.find((other) => other.key === key);
      const covering = same ?? earlier.find((other) => coversPrefix(other.match, match));
      if (same !== undefined) repeated++;
      if (covering !== undefined) {
        const how =
          same === undefined
            ? `${covering.rule} before it takes a shorter prefix`
            : `${covering.rule} has the same`;
        findings.push(
          ineffective(object, `${path}.match[${matchIndex}]`, `this match of ${label} has no effect: ${how}`),
        );
      }
      earlier.push({ key, match, rule: label });
    }
    if (everything === undefined && repeated > 0 && repeated === matches.length) {
      findings.push(
        unreachable(object, path, `${label} is never reached: rules before it have all its matches`),
      );
    }
  }
  return findings;
}

function labelOf(rule: Rule, index: number): string {
  return rule.name === undefined || rule.name === ''
    ? `rule ${index + 1}`
    : `rule ${index + 1} ('${rule.name}')`;
}

function unreachable(object: VirtualService, path: string, message: string): Finding {
  const about = { code: 'IST0130', name: 'VirtualServiceUnreachableRule', level: 'WARNING' } as const;
  return { object: keyOf(object), analyzer: 'unreachable-rule', ...about, message, path };
}

function ineffective(object: VirtualService, path: string, message: string): Finding {
  const about = { code: 'IST0131', name: 'VirtualServiceIneffectiveMatch', level: 'INFO' } as const;
  return { object: keyOf(object), analyzer: 'unreachable-rule', ...about, message, path };
}

/** The same text for matches that ask the same, whatever they are called and however their fields are ordered. */
function canonical(match: HttpMatch): string {
  const { name: _, ...conditions } = match;
  return JSON.stringify(conditions, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether `earlier` takes every request of `later` because its path prefix is shorter and it asks nothing else of them. */
function coversPrefix(earlier: HttpMatch, later: HttpMatch): boolean {
  const [short, long] = [earlier.uri?.prefix, later.uri?.prefix];
  if (short === undefined || long === undefined) return false;
  const { name: _earlierName, uri: _earlierUri, ignoreUriCase: ignoresCase = false, ...conditions } = earlier;
  const {
    name: _laterName,
    uri: _laterUri,
    ignoreUriCase: laterIgnoresCase = false,
    ...laterConditions
  } = later;
  if (laterIgnoresCase && !ignoresCase) return false;
  const isShorter = ignoresCase ? long.toLowerCase().startsWith(short.toLowerCase()) : long.startsWith(short);
  const known: Readonly<Record<string, unknown>> = laterConditions;
  return (
    isShorter &&
    Object.entries(conditions).every(
      ([field, value]) => JSON.stringify(value) === JSON.stringify(known[field]),
    )
  );
}
