// Istio's rules for an AuthorizationPolicy that the shape of its fields can't express, and what of it is denied for want of
// a way to decide it.
import { isIP } from 'node:net';
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationSource,
} from '../schema/authorization-policy.ts';
import { isServiceTarget, targetsOf } from '../security/policy-scope.ts';
import type { Path } from '../source/place.ts';
import type { Report } from './check.ts';

/** Checks a spec that fits its schema; paths start at `spec`. */
export function checkAuthorizationPolicy(spec: AuthorizationPolicySpec, report: Report): void {
  const { action = 'ALLOW', provider, rules } = spec;
  if (action === 'CUSTOM') {
    if (provider?.name === undefined || provider.name === '')
      report.missing(['spec', 'provider', 'name'], 'is missing: CUSTOM has to say who decides');
    const message = 'nobody can be asked yet: what the rules match is denied';
    report.failsClosed(['spec', 'action'], message, 'DENY says the same without a provider');
  } else if (provider !== undefined) {
    report.invalid(['spec', 'provider'], `goes with the action CUSTOM only, not with ${action}`);
  }
  if (action !== 'ALLOW' && (rules ?? []).length === 0)
    report.doubtful(['spec'], `${action} without rules matches nothing`);
  for (const target of targetsOf(spec)) {
    if (isServiceTarget(target)) continue;
    const hint = 'use a selector, or name a Service';
    report.withoutEffect(
      ['spec', spec.targetRef === undefined ? 'targetRefs' : 'targetRef'],
      `policies for a ${target.kind}`,
      hint,
    );
  }
  for (const [index, { from, to, when }] of (rules ?? []).entries()) {
    const path: Path = ['spec', 'rules', index];
    for (const [at, { source = {} }] of (from ?? []).entries())
      checkSource(source, [...path, 'from', at, 'source'], report);
    for (const [at, { operation = {} }] of (to ?? []).entries())
      checkOperation(operation, [...path, 'to', at, 'operation'], report);
    for (const [at, condition] of (when ?? []).entries())
      checkCondition(condition, [...path, 'when', at], report);
  }
}

const addressFields = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;
const tokenFields = ['requestPrincipals', 'notRequestPrincipals'] as const;

function checkSource(source: AuthorizationSource, path: Path, report: Report): void {
  for (const field of addressFields) checkAddresses(source[field], [...path, field], report);
  for (const field of tokenFields)
    if ((source[field] ?? []).length > 0) unverifiedToken([...path, field], report);
}

function checkOperation(operation: AuthorizationOperation, path: Path, report: Report): void {
  for (const field of ['ports', 'notPorts'] as const) checkPorts(operation[field], [...path, field], report);
  for (const field of ['paths', 'notPaths'] as const) {
    for (const [index, text] of (operation[field] ?? []).entries())
      checkPath(text, [...path, field, index], report);
  }
}

const plainKeys = new Set([
  'source.ip',
  'remote.ip',
  'source.namespace',
  'source.principal',
  'source.serviceAccount',
  'source.trustDomain',
  'destination.ip',
  'destination.port',
  'connection.sni',
]);
const requestHeader = /^request\.headers\[[^\][]+\]$/;
const ofToken = /^request\.auth\.(?:principal|audiences|presenter|claims(?:\[[^\][]+\])+)$/;
const ofEnvoy = /^experimental\.envoy\.filters\./;

function checkCondition(
  { key, values, notValues }: AuthorizationCondition,
  path: Path,
  report: Report,
): void {
  if ((values ?? []).length === 0 && (notValues ?? []).length === 0)
    report.missing([...path, 'values'], 'is missing: a condition needs values or notValues');
  if (ofToken.test(key)) {
    unverifiedToken([...path, 'key'], report);
  } else if (ofEnvoy.test(key)) {
    report.failsClosed([...path, 'key'], `Heddle's proxy has no ${key}: ${consequence}`);
  } else if (!plainKeys.has(key) && !requestHeader.test(key)) {
    const hint = 'such as request.headers[x-name], source.ip, source.namespace or destination.port';
    report.invalid([...path, 'key'], `'${key}' is not the name of a condition`, hint);
  }
  for (const [field, texts] of Object.entries({ values, notValues })) {
    if (key === 'destination.port') checkPorts(texts, [...path, field], report);
    if (['source.ip', 'remote.ip', 'destination.ip'].includes(key))
      checkAddresses(texts, [...path, field], report);
  }
}

const consequence = 'a rule that allows never matches by it, one that denies does not ask for it';

function unverifiedToken(path: Path, report: Report): void {
  report.failsClosed(path, `tokens are not verified yet: ${consequence}`);
}

function checkPorts(ports: readonly string[] | undefined, path: Path, report: Report): void {
  for (const [index, text] of (ports ?? []).entries()) {
    if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535)
      report.invalid([...path, index], `'${text}' is no port: 1 to 65535`);
  }
}

function checkAddresses(blocks: readonly string[] | undefined, path: Path, report: Report): void {
  for (const [index, text] of (blocks ?? []).entries()) {
    const [address = '', length, ...rest] = text.split('/');
    const bits = isIP(address) === 4 ? 32 : 128;
    const isBlock = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
    if (isIP(address) === 0 || !isBlock || rest.length > 0)
      report.invalid([...path, index], `'${text}' is neither an address nor a block such as 10.0.0.0/8`);
  }
}

/** A template has whole segments in braces, what may be many segments last but one at most, and no other stars. */
function checkPath(text: string, path: Path, report: Report): void {
  if (!text.includes('{') && !text.includes('}')) return;
  const segments = text.split('/').slice(1);
  const isTemplate =
    text.startsWith('/') &&
    segments.every((segment) => segment === '{*}' || segment === '{**}' || !/[{}*]/.test(segment)) &&
    segments.filter((segment) => segment === '{**}').length < 2;
  if (isTemplate) return;
  const hint = '{*} is one segment, {**} any number of them, once';
  report.invalid(path, `'${text}' is not a template of paths`, hint);
}
