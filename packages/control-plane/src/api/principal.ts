/** Who uses the API, and what they may do there. */
import { RequestRefused } from './failure.ts';
import type { ApiRole } from './types.ts';

/** Somebody who has proven who they are. */
export interface Principal {
  /** Goes into the configuration's history. */
  readonly subject: string;
  readonly role: ApiRole;
  /** The one namespace that they may look at and change; null for all. */
  readonly namespace: string | null;
  /** Of the token that they have shown: when that is revoked, what it admitted to ends. Null where it was none of ours. */
  readonly tokenId: string | null;
  /** Milliseconds since 1970; null where it has no end. */
  readonly expiresAt: number | null;
}

/** From the least to the most; each may do what those before it may. */
export const apiRoles: readonly ApiRole[] = ['viewer', 'operator', 'admin'];

const verbs: Readonly<Record<ApiRole, string>> = {
  viewer: 'look at this',
  operator: 'change the configuration',
  admin: 'manage tokens',
};

/** Whether somebody with a role may do what `needed` may. */
export function hasRole(role: ApiRole, needed: ApiRole): boolean {
  return apiRoles.indexOf(role) >= apiRoles.indexOf(needed);
}

/** Refuses whoever may not do what `needed` may. */
export function requireRole(principal: Principal, needed: ApiRole): void {
  if (hasRole(principal.role, needed)) return;
  throw new RequestRefused(
    403,
    'HEDDLE_API_FORBIDDEN',
    `${principal.subject} has the role ${principal.role} and may not ${verbs[needed]}.`,
    {
      hint: `That takes the role ${needed}, which an admin gives with heddle token create --kind api --role ${needed}.`,
    },
  );
}

/** The namespace to look at: that of the request, or the one that somebody is bound to, which no other can be asked for. */
export function namespaceFor(principal: Principal, asked: string | undefined): string | undefined {
  if (principal.namespace === null) return asked;
  if (asked !== undefined && asked !== principal.namespace) throw outside(principal, asked);
  return principal.namespace;
}

/** Refuses those who are bound to another namespace than any of these. */
export function requireNamespaces(principal: Principal, namespaces: Iterable<string>): void {
  if (principal.namespace === null) return;
  for (const namespace of namespaces)
    if (namespace !== principal.namespace) throw outside(principal, namespace);
}

/** Refuses those who are bound to a namespace, where something concerns all of them. */
export function requireUnbound(principal: Principal): void {
  if (principal.namespace !== null) throw outside(principal, 'all namespaces');
}

function outside({ subject, namespace }: Principal, asked: string): RequestRefused {
  const what = asked === 'all namespaces' ? asked : `namespace ${asked}`;
  return new RequestRefused(
    403,
    'HEDDLE_API_FORBIDDEN',
    `${subject} is bound to namespace ${namespace} and has no access to ${what}.`,
  );
}
