import type { OidcOptions } from '@heddle/control-plane';
import { usageError } from '../cli-error.ts';
import type { OidcFlags } from '../commands/oidc-flags.ts';
import { readPem } from '../datastore/datastore-of.ts';

/** Which issuer's tokens are taken, as the flags say it; undefined where none is named. */
export async function oidcOf(flags: OidcFlags): Promise<OidcOptions | undefined> {
  const { oidcIssuer: issuer, oidcAudience: audience, oidcRole: roles = [], oidcCaFile } = flags;
  if (issuer === undefined) {
    if (audience !== undefined || roles.length > 0 || oidcCaFile !== undefined)
      throw usageError('--oidc-issuer is missing, to which the other --oidc flags belong');
    return undefined;
  }
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !isLocal))
    throw usageError(
      `--oidc-issuer: '${issuer}' is no https URL`,
      'whoever can change what it answers could make admins',
    );
  if (audience === undefined)
    throw usageError(
      '--oidc-audience is missing',
      'without it, tokens that are meant for others would be taken',
    );
  if (roles.length === 0)
    throw usageError('--oidc-role is missing: nobody would have a role', 'such as --oidc-role operator=sre');
  return {
    issuer,
    audience,
    subjectClaim: flags.oidcSubjectClaim,
    roleClaim: flags.oidcRoleClaim,
    roles,
    ...(oidcCaFile === undefined ? {} : { ca: await readPem(oidcCaFile) }),
  };
}
