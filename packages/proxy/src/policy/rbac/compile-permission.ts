import { assertNever } from '@heddle/base';
import type { Permission } from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import { compileRange } from '../../config/compile-filter-chain-match.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { compileStringMatcher } from '../../routing/compile-matchers.ts';
import { AddressIn } from './address-in.ts';
import { allOf, anyOf } from './combine.ts';
import {
  compileHeaderCondition,
  compilePathCondition,
  compileSet,
  isAny,
  type RbacSubject,
} from './compile-common.ts';
import { DestinationPort, RequestedServerName } from './connection-matchers.ts';
import { anything, Not, type RbacMatcher } from './rbac-matcher.ts';

const portCount = 65_536;

/** Compiles what may be done; null with problems noted. */
export function compilePermission(
  permission: Permission,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  const { rule } = permission;
  const compile = (part: Permission, place: string): RbacMatcher | null =>
    compilePermission(part, subject, place, problems);
  switch (rule?.$case) {
    case undefined:
      problems.invalid(
        path,
        'needs one of and_rules, or_rules, not_rule, any, header, url_path, destination_ip, destination_port, destination_port_range, requested_server_name',
      );
      return null;
    case 'andRules':
      return compileSet(rule.value.rules, allOf, compile, `${path}.and_rules.rules`, problems);
    case 'orRules':
      return compileSet(rule.value.rules, anyOf, compile, `${path}.or_rules.rules`, problems);
    case 'notRule': {
      const part = compile(rule.value, `${path}.not_rule`);
      return part === null ? null : new Not(part);
    }
    case 'any':
      return isAny(rule.value, `${path}.any`, problems) ? anything : null;
    case 'header':
      return compileHeaderCondition(rule.value, subject, `${path}.header`, problems);
    case 'urlPath':
      return compilePathCondition(rule.value, subject, `${path}.url_path`, problems);
    case 'destinationIp': {
      const range = compileRange(rule.value, `${path}.destination_ip`, problems);
      return range === null ? null : new AddressIn('destination', [range]);
    }
    case 'destinationPort':
      return compilePorts(rule.value, rule.value + 1, `${path}.destination_port`, problems);
    case 'destinationPortRange':
      return compilePorts(rule.value.start, rule.value.end, `${path}.destination_port_range`, problems);
    case 'requestedServerName': {
      const matcher = compileStringMatcher(rule.value, `${path}.requested_server_name`, problems);
      return matcher === null ? null : new RequestedServerName(matcher);
    }
    default:
      return assertNever(rule);
  }
}

function compilePorts(start: number, end: number, path: string, problems: ProblemList): RbacMatcher | null {
  if (start >= 0 && start < end && end <= portCount) return new DestinationPort(start, end);
  problems.invalid(path, `[${start}, ${end}) is no range of ports`);
  return null;
}
