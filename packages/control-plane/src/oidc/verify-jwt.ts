/** JSON Web Tokens (RFC 7519) as OpenID Connect issues them: RS256 and ES256, nothing else, and never unsigned. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '@heddle/base';
import { z } from 'zod';

/** Algorithms and the keys that they take; what is not here is refused, `none` and shared secrets first of all. */
const algorithms = {
  RS256: { kty: 'RSA', curve: undefined },
  ES256: { kty: 'EC', curve: 'P-256' },
} as const;

const minRsaBits = 2048;
const maxTokenLength = 16 * 1024;

const headerSchema = z.object({
  alg: z.enum(['RS256', 'ES256']),
  kid: z.string().max(1000).optional(),
  /** Extensions that have to be understood: we know none. */
  crit: z.undefined().optional(),
});

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
});

export type Claims = z.infer<typeof claimsSchema>;

/** A token that has the form of one; nothing of it is proven. */
export interface UnverifiedJwt {
  readonly algorithm: keyof typeof algorithms;
  /** Which of its issuer's keys has signed it; absent where the issuer has one only. */
  readonly keyId: string | undefined;
  readonly claims: Claims;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** A key that an issuer signs with. */
export interface VerificationKey {
  readonly keyId: string | undefined;
  readonly algorithm: keyof typeof algorithms;
  readonly key: KeyObject;
}

/** What a verifier expects of a token. */
export interface Expected {
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** By how much clocks may differ. */
  readonly skewMs: number;
}

/** Takes a token apart; the error says what is wrong with its form. */
export function parseJwt(token: string): Result<UnverifiedJwt, string> {
  if (token.length > maxTokenLength) return err(`it is longer than ${maxTokenLength} characters`);
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return err('it is no JWT');
  const header = headerSchema.safeParse(jsonOf(head));
  if (!header.success) return err('it is signed by no algorithm that is taken (RS256, ES256)');
  const claims = claimsSchema.safeParse(jsonOf(body));
  if (!claims.success)
    return err(`its claim ${claims.error.issues[0]?.path.join('.') ?? ''} is missing or no good`);
  return ok({
    algorithm: header.data.alg,
    keyId: header.data.kid,
    claims: claims.data,
    signed: Buffer.from(`${head}.${body}`, 'ascii'),
    signature: Buffer.from(signature, 'base64url'),
  });
}

/** Reads a key of a JWKS (RFC 7517); undefined where it is none that signs tokens by an algorithm that we take. */
export function keyOfJwk(jwk: Readonly<Record<string, unknown>>): VerificationKey | undefined {
  const found = Object.entries(algorithms).find(
    ([name, { kty, curve }]) =>
      jwk['kty'] === kty && (curve === undefined || jwk['crv'] === curve) && (jwk['alg'] ?? name) === name,
  );
  if (found === undefined || (jwk['use'] ?? 'sig') !== 'sig') return undefined;
  try {
    // Only the public part: what an issuer publishes by mistake is not held here.
    const isRsa = jwk['kty'] === 'RSA';
    const { kty = '', n = '', e = '', crv = '', x = '', y = '' } = jwk as Record<string, string>;
    const key = createPublicKey({ key: isRsa ? { kty, n, e } : { kty, crv, x, y }, format: 'jwk' });
    if (isRsa && (key.asymmetricKeyDetails?.modulusLength ?? 0) < minRsaBits) return undefined;
    const keyId = jwk['kid'];
    return {
      keyId: typeof keyId === 'string' ? keyId : undefined,
      algorithm: found[0] as keyof typeof algorithms,
      key,
    };
  } catch {
    return undefined;
  }
}

/** Whether one of these keys has signed it. */
export function isSignedBy(jwt: UnverifiedJwt, keys: readonly VerificationKey[]): boolean {
  return keys.some(
    ({ algorithm, key }) =>
      algorithm === jwt.algorithm &&
      verify('sha256', jwt.signed, { key, dsaEncoding: 'ieee-p1363' }, jwt.signature),
  );
}

/** Why a token whose signature is good is refused all the same; null where it isn't. */
export function refusalOf(
  { claims }: UnverifiedJwt,
  { issuer, audience, now, skewMs }: Expected,
): string | null {
  if (claims.iss !== issuer) return 'it comes from another issuer';
  const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud;
  if (!audiences.includes(audience)) return `it is not for the audience ${audience}`;
  if (now >= claims.exp * 1000 + skewMs) return 'it has expired';
  const begins = Math.max(claims.nbf ?? 0, claims.iat ?? 0) * 1000;
  return now < begins - skewMs ? 'it is not valid yet' : null;
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
  } catch {
    return undefined;
  }
}
