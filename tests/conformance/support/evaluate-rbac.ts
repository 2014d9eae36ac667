// Envoy's RBAC filters over a request, written down plainly and apart from both compilers and the proxy.
import { BlockList, isIP } from 'node:net';

type Json = Readonly<Record<string, unknown>>;

/** Everything that a policy may look at. */
export interface Call {
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  /** SPIFFE id of the caller; null without mTLS. */
  readonly principal: string | null;
  readonly directRemoteIp: string;
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  readonly serverName: string;
  /** By the filter that wrote it. */
  readonly metadata: Json;
}

/** One filter: `typed_config` in proto3's JSON. */
export interface RbacFilter {
  readonly rules?: { readonly action?: string; readonly policies?: Readonly<Record<string, Policy>> };
}

interface Policy {
  readonly permissions: readonly Json[];
  readonly principals: readonly Json[];
}

/** Whether a chain of filters lets a call through. */
export function isLetIn(filters: readonly RbacFilter[], call: Call): boolean {
  return filters.every(({ rules }) => {
    if (rules === undefined || rules.action === 'LOG') return true;
    const matched = Object.values(rules.policies ?? {}).some(
      ({ permissions, principals }) =>
        permissions.some((one) => isMet(one, call)) && principals.some((one) => isMet(one, call)),
    );
    return matched === ((rules.action ?? 'ALLOW') === 'ALLOW');
  });
}

function isMet(condition: Json, call: Call): boolean {
  const [[kind, raw] = ['', undefined]] = Object.entries(condition);
  const value = raw as never as Json;
  switch (kind) {
    case 'any':
      return true;
    case 'andRules':
    case 'andIds':
      return list(value).every((one) => isMet(one, call));
    case 'orRules':
    case 'orIds':
      return list(value).some((one) => isMet(one, call));
    case 'notRule':
    case 'notId':
      return !isMet(value, call);
    case 'header':
      return isHeaderMet(value, call.headers);
    case 'urlPath':
      return isTextMet(value['path'] as Json, call.path);
    case 'uriTemplate':
      return templateOf(value).test(call.path);
    case 'authenticated':
      return call.principal !== null && isTextMet(value['principalName'] as Json, call.principal);
    case 'directRemoteIp':
      return isWithin(value, call.directRemoteIp);
    case 'remoteIp':
      return isWithin(value, call.remoteIp);
    case 'destinationIp':
      return isWithin(value, call.destinationIp);
    case 'destinationPort':
      return call.destinationPort === Number(raw);
    case 'requestedServerName':
      return isTextMet(value, call.serverName);
    case 'metadata':
    case 'sourcedMetadata':
      return isMetadataMet((value['metadataMatcher'] ?? value) as Json, call.metadata);
    default:
      throw new Error(`no condition that is known: ${kind}`);
  }
}

function list(set: Json): readonly Json[] {
  return (set['rules'] ?? set['ids']) as readonly Json[];
}

function isHeaderMet(matcher: Json, headers: Call['headers']): boolean {
  const value = headers[String(matcher['name']).toLowerCase()];
  if (value === undefined) return false;
  return matcher['presentMatch'] === true || isTextMet(matcher['stringMatch'] as Json, value);
}

function isTextMet(matcher: Json, text: string): boolean {
  const ignoresCase = matcher['ignoreCase'] === true;
  const fold = (value: unknown): string => (ignoresCase ? String(value).toLowerCase() : String(value));
  const regex = matcher['safeRegex'] as { readonly regex: string } | undefined;
  if (regex !== undefined) return new RegExp(`^(?:${regex.regex})$`, 'u').test(text);
  if ('prefix' in matcher) return fold(text).startsWith(fold(matcher['prefix']));
  if ('suffix' in matcher) return fold(text).endsWith(fold(matcher['suffix']));
  return fold(text) === fold(matcher['exact'] ?? '');
}

function templateOf(extension: Json): RegExp {
  const { pathTemplate } = extension['typedConfig'] as { readonly pathTemplate: string };
  const parts = pathTemplate.split(/(\*\*?)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]+' : part.replaceAll('.', String.raw`\.`);
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}

function isWithin(range: Json, address: string): boolean {
  const family = (text: string) => (isIP(text) === 4 ? 'ipv4' : 'ipv6');
  const prefix = String(range['addressPrefix']);
  const block = new BlockList();
  block.addSubnet(prefix, Number(range['prefixLen'] ?? 0), family(prefix));
  return block.check(address, family(address));
}

function isMetadataMet(matcher: Json, metadata: Json): boolean {
  let value: unknown = metadata[String(matcher['filter'])];
  for (const { key } of matcher['path'] as readonly { readonly key: string }[]) {
    value = typeof value === 'object' && value !== null ? (value as Json)[key] : undefined;
  }
  return isValueMet(matcher['value'] as Json, value);
}

function isValueMet(matcher: Json, value: unknown): boolean {
  if ('orMatch' in matcher) {
    const { valueMatchers } = matcher['orMatch'] as { readonly valueMatchers: readonly Json[] };
    return valueMatchers.some((one) => isValueMet(one, value));
  }
  if ('listMatch' in matcher) {
    const { oneOf } = matcher['listMatch'] as { readonly oneOf: Json };
    return Array.isArray(value) && value.some((item) => isValueMet(oneOf, item));
  }
  return typeof value === 'string' && isTextMet(matcher['stringMatch'] as Json, value);
}
