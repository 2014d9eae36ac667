/** People whom an OpenID Connect issuer vouches for, by its ID tokens. */
import { HeddleError, type Clock, type Logger } from '@heddle/base';
import type { ForeignTokens } from '../api/authenticator.ts';
import { hasRole, type Principal } from '../api/principal.ts';
import type { ApiRole } from '../api/types.ts';
import { IssuerKeys, type FetchJson } from './issuer-keys.ts';
import { isSignedBy, parseJwt, refusalOf, type Claims } from './verify-jwt.ts';

/** Gives a role to those whose claim has a value. */
export interface RoleMapping {
  readonly role: ApiRole;
  /** Null for all. */
  readonly namespace: string | null;
  readonly value: string;
}

export interface OidcOptions {
  /** Exactly as its tokens say it. */
  readonly issuer: string;
  /** For whom tokens must be: our client id there. */
  readonly audience: string;
  /** The claim that names people in the history. */
  readonly subjectClaim: string;
  /** The claim, a text or a list, that roles are given by. */
  readonly roleClaim: string;
  readonly roles: readonly RoleMapping[];
  /** Roots of the issuer's certificate, PEM; absent: the system's. */
  readonly ca?: Uint8Array;
}

const skewMs = 60_000;

function refused(reason: string): HeddleError {
  return new HeddleError('HEDDLE_API_WRONG_TOKEN', `This OpenID token is refused: ${reason}.`);
}

export class OidcTokens implements ForeignTokens {
  private readonly options: OidcOptions;
  private readonly keys: IssuerKeys;
  private readonly clock: Clock;

  constructor(options: OidcOptions, fetchJson: FetchJson, clock: Clock, logger: Logger) {
    this.options = options;
    this.clock = clock;
    this.keys = new IssuerKeys(options.issuer, fetchJson, clock, logger);
  }

  /**
   * Who bears a token. Rejects with `HEDDLE_API_WRONG_TOKEN`, with `HEDDLE_API_FORBIDDEN` where the issuer knows somebody to
   * whom no role is given, and with `HEDDLE_OIDC_UNREACHABLE`.
   */
  async verify(token: string): Promise<Principal> {
    const jwt = parseJwt(token);
    if (!jwt.ok) throw refused(jwt.error);
    const keys = await this.keys.find(jwt.value.keyId);
    if (!isSignedBy(jwt.value, keys)) throw refused('no key of the issuer has signed it');
    const { issuer, audience, subjectClaim } = this.options;
    const refusal = refusalOf(jwt.value, { issuer, audience, now: this.clock.now(), skewMs });
    if (refusal !== null) throw refused(refusal);
    const { claims } = jwt.value;
    const name = claims[subjectClaim];
    if (typeof name !== 'string' || !/^[^\p{Cc}]{1,200}$/u.test(name))
      throw refused(`its claim ${subjectClaim} names nobody`);
    // An address that nobody has checked can be anybody's.
    if (subjectClaim === 'email' && claims['email_verified'] === false)
      throw refused('its e-mail address is not verified');
    const mapping = this.mappingOf(claims);
    if (mapping === undefined)
      throw new HeddleError(
        'HEDDLE_API_FORBIDDEN',
        `${name} has no role here: none is given to what the token's claim ${this.options.roleClaim} says.`,
      );
    const { role, namespace } = mapping;
    // Nobody from outside is taken for the bearer of a token of ours.
    return { subject: `oidc:${name}`, role, namespace, tokenId: null, expiresAt: claims.exp * 1000 + skewMs };
  }

  /** The best of those that hold: the highest role, and of two the one for all namespaces. */
  private mappingOf(claims: Claims): RoleMapping | undefined {
    const claim = claims[this.options.roleClaim];
    const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
    let best: RoleMapping | undefined;
    for (const mapping of this.options.roles) {
      if (!values.includes(mapping.value)) continue;
      const isBetter =
        best === undefined ||
        (mapping.role === best.role ? mapping.namespace === null : hasRole(mapping.role, best.role));
      if (isBetter) best = mapping;
    }
    return best;
  }
}
