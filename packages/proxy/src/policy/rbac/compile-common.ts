// What permissions and principals have in common.
import type { HeaderMatcher } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { PathMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/path.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { compileHeader, compileStringMatcher } from '../../routing/compile-matchers.ts';
import type { RbacMatcher } from './rbac-matcher.ts';
import { RequestHeader, RequestPath } from './request-matchers.ts';

/** What policies decide about: a connection has no headers and no path to ask for. */
export type RbacSubject = 'request' | 'connection';

/** Whether there are parts and all of them compiled. */
export function isComplete<T>(parts: readonly (T | null)[]): parts is readonly T[] {
  return parts.length > 0 && !parts.includes(null);
}

/** `combine` of all members of a set; null with problems noted. */
export function compileSet<T>(
  members: readonly T[],
  combine: (parts: readonly RbacMatcher[]) => RbacMatcher,
  compile: (member: T, path: string) => RbacMatcher | null,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  if (members.length === 0) problems.invalid(path, 'must not be empty');
  const parts = members.map((member, index) => compile(member, `${path}[${index}]`));
  return isComplete(parts) ? combine(parts) : null;
}

/** `any` has to be true. */
export function isAny(value: boolean, path: string, problems: ProblemList): boolean {
  if (!value) problems.invalid(path, 'must be true');
  return value;
}

export function compileHeaderCondition(
  header: HeaderMatcher,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  if (!hasRequest(subject, path, problems)) return null;
  const matcher = compileHeader(header, path, problems);
  return matcher === null ? null : new RequestHeader(matcher);
}

export function compilePathCondition(
  { rule }: PathMatcher,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacMatcher | null {
  if (!hasRequest(subject, path, problems)) return null;
  if (rule === undefined) {
    problems.invalid(`${path}.path`, 'is required');
    return null;
  }
  const matcher = compileStringMatcher(rule.value, `${path}.path`, problems);
  return matcher === null ? null : new RequestPath(matcher);
}

function hasRequest(subject: RbacSubject, path: string, problems: ProblemList): boolean {
  if (subject === 'connection')
    problems.invalid(path, 'a connection has no request to look at', 'use the HTTP filter of this name');
  return subject === 'request';
}
