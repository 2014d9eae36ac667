// Puts compiled conditions together so that deciding takes few steps: what is nested without need is flat, what asks the
// same of the peer's name or of an address is asked at once.
import type { CidrRange } from '../../config/listener-config.ts';
import { AddressIn, type AddressOwner } from './address-in.ts';
import { PeerName } from './peer-name.ts';
import { AllOf, anything, AnyOf, type RbacMatcher } from './rbac-matcher.ts';

/** All of these, at least one. */
export function allOf(parts: readonly RbacMatcher[]): RbacMatcher {
  const left = parts
    .flatMap((part) => (part instanceof AllOf ? part.parts : [part]))
    .filter((part) => part !== anything);
  if (left.length === 0) return anything;
  return left.length === 1 ? left[0]! : new AllOf(left);
}

/** One of these, at least one. */
export function anyOf(parts: readonly RbacMatcher[]): RbacMatcher {
  const flat = parts.flatMap((part) => (part instanceof AnyOf ? part.parts : [part]));
  if (flat.includes(anything)) return anything;
  const merged = [...mergedNames(flat), ...mergedAddresses(flat)];
  const others = flat.filter((part) => !(part instanceof PeerName) && !(part instanceof AddressIn));
  const all = [...merged, ...others];
  return all.length === 1 ? all[0]! : new AnyOf(all);
}

function mergedNames(parts: readonly RbacMatcher[]): PeerName[] {
  const names = parts.filter((part) => part instanceof PeerName);
  if (names.length === 0) return [];
  const exact = new Set(names.flatMap((name) => [...name.exact]));
  return [
    new PeerName(
      exact,
      names.flatMap(({ others }) => others),
    ),
  ];
}

function mergedAddresses(parts: readonly RbacMatcher[]): AddressIn[] {
  const byOwner = new Map<AddressOwner, CidrRange[]>();
  for (const part of parts) {
    if (!(part instanceof AddressIn)) continue;
    byOwner.set(part.owner, [...(byOwner.get(part.owner) ?? []), ...part.ranges]);
  }
  return [...byOwner].map(([owner, ranges]) => new AddressIn(owner, ranges));
}
