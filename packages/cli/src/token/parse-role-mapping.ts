import { nearestName } from '@heddle/base';
import { parseName } from '../flags.ts';

const roles = ['viewer', 'operator', 'admin'] as const;

/** `operator@shop=shop-team`: what somebody may do whose claim has the value. */
export interface RoleMappingFlag {
  readonly role: (typeof roles)[number];
  readonly namespace: string | null;
  readonly value: string;
}

/** Reads `ROLE=VALUE` or `ROLE@NAMESPACE=VALUE`. */
export function parseRoleMapping(input: string): RoleMappingFlag {
  const [, name = '', namespace, value] = /^([^=@]*)(?:@([^=]*))?=(.+)$/s.exec(input) ?? [];
  if (value === undefined) throw new Error(`'${input}' is no ROLE=VALUE, such as operator=sre`);
  const role = roles.find((known) => known === name);
  if (role === undefined) {
    const nearest = nearestName(name, roles);
    throw new Error(
      `'${name}' is no role: ${roles.join(', ')}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
    );
  }
  if (namespace === undefined) return { role, namespace: null, value };
  if (role === 'admin') throw new Error(`admins are bound to no namespace: write admin=${value}`);
  return { role, namespace: parseName(namespace), value };
}
