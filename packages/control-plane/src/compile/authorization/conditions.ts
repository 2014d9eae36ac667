// The conditions of one rule: of whom, about what, and when.
import type { AuthorizationCondition, AuthorizationOperation, AuthorizationSource } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import type { Permission, Principal } from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import type { StringMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/string.ts';
import { type Clause, clause } from './clause.ts';
import {
  addressBlock,
  matchesNamespace,
  matchesPath,
  matchesPrincipal,
  matchesServiceAccount,
  matchesText,
  matchesTrustDomain,
} from './text-patterns.ts';
import { principalsOf } from './trust-domains.ts';

export type What = DeepPartial<Permission>;
export type Who = DeepPartial<Principal>;

/** Where a policy is enforced. */
export interface Enforcement {
  /** A connection has no request: what is asked of one can't be decided. */
  readonly subject: 'request' | 'connection';
  /** Of the policy. */
  readonly namespace: string;
  /** Of the mesh, its own first. */
  readonly trustDomains: readonly string[];
  /**
   * The workload's port, by the names under which it is known, where all connections come to one: a sidecar listens
   * elsewhere. Null where connections say themselves which port they mean.
   */
  readonly ports: readonly number[] | null;
}

const undecidable = (): null => null;

/** Whom a rule is about. */
export function sourceClauses(source: AuthorizationSource, at: Enforcement): Clause<Who>[] {
  return [
    ...accounts(source.serviceAccounts, source.notServiceAccounts, at),
    ...principals(source.principals, source.notPrincipals, at),
    // Tokens are not verified, so that nobody knows whose they are.
    ...clause<Who>(source.requestPrincipals, source.notRequestPrincipals, undecidable),
    ...clause(source.namespaces, source.notNamespaces, (value) => peer(matchesNamespace(value))),
    ...clause(source.trustDomains, source.notTrustDomains, (value) => peer(matchesTrustDomain(value))),
    ...clause(source.ipBlocks, source.notIpBlocks, (value) => who('directRemoteIp', value)),
    ...clause(source.remoteIpBlocks, source.notRemoteIpBlocks, (value) => who('remoteIp', value)),
  ];
}

/** What a rule is about. */
export function operationClauses(operation: AuthorizationOperation, at: Enforcement): Clause<What>[] {
  const ofRequest = (make: (value: string) => What): ((value: string) => What | null) =>
    at.subject === 'request' ? make : undecidable;
  const { hosts, notHosts, methods, notMethods, paths, notPaths, ports, notPorts } = operation;
  return [
    ...clause(
      hosts,
      notHosts,
      ofRequest((value) => ({ rule: header(':authority', value, true) })),
    ),
    ...clause(
      methods,
      notMethods,
      ofRequest((value) => ({ rule: header(':method', value) })),
    ),
    ...clause(
      paths,
      notPaths,
      ofRequest((value) => ({
        rule: { $case: 'urlPath', value: { rule: { $case: 'path', value: matchesPath(value) } } },
      })),
    ),
    ...clause(ports, notPorts, (value) => port(value, at)),
  ];
}

/** What a condition of `when` asks: of the caller, or of what is called. */
export function conditionClauses(
  { key, values, notValues }: AuthorizationCondition,
  at: Enforcement,
): { readonly who: Clause<Who>[]; readonly what: Clause<What>[] } {
  const who_ = (made: Clause<Who>[]) => ({ who: made, what: [] });
  const what = (make: (value: string) => What | null) => ({
    who: [],
    what: clause(values, notValues, make),
  });
  const name = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (name !== undefined) {
    const make = (value: string): Who => ({ identifier: header(name.toLowerCase(), value) });
    return who_(clause(values, notValues, at.subject === 'request' ? make : undecidable));
  }
  switch (key) {
    case 'source.ip':
      return who_(clause(values, notValues, (value) => who('directRemoteIp', value)));
    case 'remote.ip':
      return who_(clause(values, notValues, (value) => who('remoteIp', value)));
    case 'source.namespace':
      return who_(clause(values, notValues, (value) => peer(matchesNamespace(value))));
    case 'source.trustDomain':
      return who_(clause(values, notValues, (value) => peer(matchesTrustDomain(value))));
    case 'source.serviceAccount':
      return who_(accounts(values, notValues, at));
    case 'source.principal':
      return who_(principals(values, notValues, at));
    case 'destination.ip':
      return what((value) => {
        const block = addressBlock(value);
        return block === null ? null : { rule: { $case: 'destinationIp', value: block } };
      });
    case 'destination.port':
      return what((value) => port(value, at));
    case 'connection.sni':
      return what((value) => ({ rule: { $case: 'requestedServerName', value: matchesText(value) } }));
    default:
      return who_(clause<Who>(values, notValues, undecidable));
  }
}

function accounts(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  { namespace }: Enforcement,
): Clause<Who>[] {
  return clause(values, notValues, (value) => peer(matchesServiceAccount(value, namespace)));
}

function principals(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  { trustDomains }: Enforcement,
): Clause<Who>[] {
  const known = (names: readonly string[] = []) => names.flatMap((name) => principalsOf(name, trustDomains));
  return clause(known(values), known(notValues), (value) => peer(matchesPrincipal(value)));
}

/** Whose certificate the connection has shown. */
function peer(principalName: DeepPartial<StringMatcher>): Who {
  return { identifier: { $case: 'authenticated', value: { principalName } } };
}

function who($case: 'directRemoteIp' | 'remoteIp', text: string): Who | null {
  const value = addressBlock(text);
  return value === null ? null : { identifier: { $case, value } };
}

function port(text: string, { ports }: Enforcement): What | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  if (ports === null) return { rule: { $case: 'destinationPort', value: Number(text) } };
  const any: What = { rule: { $case: 'any', value: true } };
  return ports.includes(Number(text)) ? any : { rule: { $case: 'notRule', value: any } };
}

function header(name: string, pattern: string, ignoreCase = false) {
  const match =
    pattern === '*'
      ? { $case: 'presentMatch' as const, value: true }
      : { $case: 'stringMatch' as const, value: { ...matchesText(pattern), ignoreCase } };
  return { $case: 'header' as const, value: { name, headerMatchSpecifier: match } };
}
