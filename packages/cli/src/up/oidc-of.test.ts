import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OidcFlags } from '../commands/oidc-flags.ts';
import { oidcOf } from './oidc-of.ts';
import { parseRoleMapping } from '../token/parse-role-mapping.ts';

const defaults: OidcFlags = { oidcSubjectClaim: 'sub', oidcRoleClaim: 'groups' };
const operators = parseRoleMapping('operator@shop=team=1');

test('reads who has which role', () => {
  assert.deepEqual(operators, { role: 'operator', namespace: 'shop', value: 'team=1' });
  assert.deepEqual(parseRoleMapping('admin=a@b'), { role: 'admin', namespace: null, value: 'a@b' });
  for (const [input, reason] of [
    ['admin', /no ROLE=VALUE/],
    ['operator=', /no ROLE=VALUE/],
    ['oprator=x', /did you mean operator\?/],
    ['admin@shop=x', /bound to no namespace/],
    ['viewer@Shop=x', /is no name/],
  ] as const)
    assert.throws(() => parseRoleMapping(input), { message: reason });
});

test('wants all that keeps foreign tokens out', async () => {
  assert.equal(await oidcOf(defaults), undefined);
  const complete = {
    ...defaults,
    oidcIssuer: 'https://id.example',
    oidcAudience: 'heddle',
    oidcRole: [operators],
  };
  assert.equal((await oidcOf(complete))?.issuer, 'https://id.example');
  assert.ok(await oidcOf({ ...complete, oidcIssuer: 'http://127.0.0.1:5556/dex' }));
  const { oidcAudience: _audience, ...withoutAudience } = complete;
  const { oidcRole: _role, ...withoutRole } = complete;
  for (const [flags, reason] of [
    [{ ...complete, oidcIssuer: 'http://id.example' }, /no https URL/],
    [withoutAudience, /--oidc-audience is missing/],
    [withoutRole, /--oidc-role is missing/],
    [{ ...defaults, oidcAudience: 'x' }, /--oidc-issuer is missing/],
  ] as const)
    await assert.rejects(oidcOf(flags), { code: 'HEDDLE_USAGE', message: reason });
});
