import { assertNever } from '@heddle/base';
import type { Principal, Principal_Authenticated } from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import type { CidrRange } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { compileRange } from '../../config/compile-filter-chain-match.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { compileStringMatcher } from '../../routing/compile-matchers.ts';
import { StringMatcher } from '../../routing/string-matcher.ts';
import { AddressIn, type AddressOwner } from './address-in.ts';
import { allOf, anyOf } from './combine.ts';
import {
  compileHeaderCondition,
  compilePathCondition,
  compileSet,
  isAny,
  type RbacSubject,
} from './compile-common.ts';
import { anyTlsPeer, PeerName } from './peer-name.ts';
import { anything, Not, type RbacMatcher } from './rbac-matcher.ts';

/** Compiles who may do it; null with problems noted. */
export function compilePrincipal(
  principal: Principal,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  const { identifier } = principal;
  const compile = (part: Principal, place: string): RbacMatcher | null =>
    compilePrincipal(part, subject, place, problems);
  const address = (owner: AddressOwner, message: CidrRange, field: string): RbacMatcher | null => {
    const range = compileRange(message, `${path}.${field}`, problems);
    return range === null ? null : new AddressIn(owner, [range]);
  };
  switch (identifier?.$case) {
    case undefined:
      problems.invalid(
        path,
        'needs one of and_ids, or_ids, not_id, any, authenticated, source_ip, direct_remote_ip, remote_ip, header, url_path',
      );
      return null;
    case 'andIds':
      return compileSet(identifier.value.ids, allOf, compile, `${path}.and_ids.ids`, problems);
    case 'orIds':
      return compileSet(identifier.value.ids, anyOf, compile, `${path}.or_ids.ids`, problems);
    case 'notId': {
      const part = compile(identifier.value, `${path}.not_id`);
      return part === null ? null : new Not(part);
    }
    case 'any':
      return isAny(identifier.value, `${path}.any`, problems) ? anything : null;
    case 'authenticated':
      return compileAuthenticated(identifier.value, `${path}.authenticated`, problems);
    case 'sourceIp':
      return address('connection-remote', identifier.value, 'source_ip');
    case 'directRemoteIp':
      return address('direct-remote', identifier.value, 'direct_remote_ip');
    case 'remoteIp':
      return address('remote', identifier.value, 'remote_ip');
    case 'header':
      return compileHeaderCondition(identifier.value, subject, `${path}.header`, problems);
    case 'urlPath':
      return compilePathCondition(identifier.value, subject, `${path}.url_path`, problems);
    default:
      return assertNever(identifier);
  }
}

function compileAuthenticated(
  { principalName }: Principal_Authenticated,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  if (principalName === undefined) return anyTlsPeer;
  const matcher = compileStringMatcher(principalName, `${path}.principal_name`, problems);
  if (matcher === null) return null;
  const isExact = matcher instanceof StringMatcher && matcher.kind === 'exact' && !matcher.ignoresCase;
  return isExact ? new PeerName(new Set([matcher.value]), []) : new PeerName(new Set(), [matcher]);
}
