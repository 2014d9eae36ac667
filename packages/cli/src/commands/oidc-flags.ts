import { parseRoleMapping } from '../token/parse-role-mapping.ts';
import type { RoleMappingFlag } from '../token/parse-role-mapping.ts';

/** Flags by which an OpenID Connect issuer is believed who people are. */
export interface OidcFlags {
  readonly oidcIssuer?: string;
  readonly oidcAudience?: string;
  readonly oidcSubjectClaim: string;
  readonly oidcRoleClaim: string;
  readonly oidcRole?: readonly RoleMappingFlag[];
  readonly oidcCaFile?: string;
}

export const oidcFlags = {
  oidcIssuer: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'URL',
    brief: 'the API takes ID tokens of this OpenID Connect issuer',
  },
  oidcAudience: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'ID',
    brief: 'for whom its tokens must be: the client id',
  },
  oidcSubjectClaim: {
    kind: 'parsed',
    parse: String,
    default: 'sub',
    placeholder: 'CLAIM',
    brief: 'which claim names people in heddle history, such as email',
  },
  oidcRoleClaim: {
    kind: 'parsed',
    parse: String,
    default: 'groups',
    placeholder: 'CLAIM',
    brief: 'by which claim roles are given',
  },
  oidcRole: {
    kind: 'parsed',
    parse: parseRoleMapping,
    optional: true,
    variadic: true,
    placeholder: 'ROLE=VALUE',
    brief: 'who has which role: operator=sre, or operator@shop=shop-team for a namespace',
  },
  oidcCaFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'FILE',
    brief: "roots of the issuer's certificate, PEM",
  },
} as const;
