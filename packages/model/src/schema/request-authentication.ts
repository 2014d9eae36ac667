// RequestAuthentication: which tokens requests may carry.
import { z } from 'zod';
import { about, duration, hasAtMostOne, headerNameText, nonEmpty } from './fields.ts';
import { hasOneScope, oneScope, policyScope } from './selectors.ts';

const keysUrl = nonEmpty.max(2048).regex(/^https?:\/\//i, 'must begin with http:// or https://');

const jwtRule = z
  .strictObject({
    issuer: nonEmpty.optional(),
    audiences: z.array(nonEmpty).optional(),
    jwksUri: keysUrl.optional(),
    jwks_uri: keysUrl.optional(),
    jwks: z.string().optional(),
    fromHeaders: z.array(z.strictObject({ name: nonEmpty, prefix: z.string().optional() })).optional(),
    fromParams: z.array(nonEmpty).optional(),
    fromCookies: z.array(nonEmpty).optional(),
    outputPayloadToHeader: z.string().optional(),
    outputClaimToHeaders: z.array(z.strictObject({ header: headerNameText, claim: nonEmpty })).optional(),
    forwardOriginalToken: z.boolean().optional(),
    timeout: duration.optional(),
    spaceDelimitedClaims: z.array(nonEmpty).max(64).optional(),
  })
  .refine(
    (rule) => hasAtMostOne(rule, ['jwksUri', 'jwks_uri', 'jwks']),
    about('stands beside the URL of keys, but only one of jwks and jwksUri may be set', 'jwks'),
  );

export const requestAuthenticationSpec = z
  .strictObject({ ...policyScope, jwtRules: z.array(jwtRule).max(4096).optional() })
  .refine(hasOneScope, oneScope);

export type RequestAuthenticationSpec = Readonly<z.infer<typeof requestAuthenticationSpec>>;
