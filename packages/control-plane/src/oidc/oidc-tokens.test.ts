import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { OidcTokens, type OidcOptions } from './oidc-tokens.ts';

const issuer = 'https://id.example/realm';

interface Key {
  readonly jwk: Record<string, unknown>;
  readonly privateKey: KeyObject;
}

function key(kid: string, alg: 'RS256' | 'ES256', bits = 2048): Key {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }, privateKey };
}

const rsa = key('rsa', 'RS256');
const ec = key('ec', 'ES256');

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(header: object, claims: object, privateKey: KeyObject): string {
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

const options: OidcOptions = {
  issuer,
  audience: 'heddle',
  subjectClaim: 'email',
  roleClaim: 'groups',
  roles: [
    { role: 'viewer', namespace: null, value: 'staff' },
    { role: 'operator', namespace: 'shop', value: 'shop' },
    { role: 'operator', namespace: null, value: 'sre' },
  ],
};

function makeWorld() {
  const clock = new VirtualClock();
  const site = { keys: [rsa.jwk, ec.jwk], issuer, isDown: false, asked: 0 };
  const fetchJson = async (url: string): Promise<unknown> => {
    site.asked++;
    if (site.isDown) throw new Error('down');
    if (url === `${issuer}/.well-known/openid-configuration`)
      return { issuer: site.issuer, jwks_uri: `${issuer}/keys` };
    assert.equal(url, `${issuer}/keys`);
    return { keys: site.keys };
  };
  const tokens = new OidcTokens(options, fetchJson, clock, silentLogger);
  const now = (): number => Math.floor(clock.now() / 1000);
  const claims = (): Record<string, unknown> => ({
    iss: issuer,
    aud: 'heddle',
    sub: '42',
    email: 'alice@example.org',
    groups: ['staff'],
    iat: now(),
    exp: now() + 300,
  });
  const token = (more: object = {}, header: object = {}, by: Key = rsa): string =>
    jwt({ alg: by.jwk['alg'], kid: by.jwk['kid'], ...header }, { ...claims(), ...more }, by.privateKey);
  const outcome = async (text: string): Promise<string> =>
    await tokens.verify(text).then(
      ({ subject, role, namespace }) => `${subject} ${role} ${namespace}`,
      (error: unknown) => (error as Error).message,
    );
  return { clock, site, tokens, token, outcome, now };
}

describe('OpenID tokens', () => {
  it('say who somebody is and what they may do', async () => {
    const { token, outcome, tokens, clock } = makeWorld();
    assert.equal(await outcome(token()), 'oidc:alice@example.org viewer null');
    assert.equal(await outcome(token({}, {}, ec)), 'oidc:alice@example.org viewer null');
    assert.match(await outcome(token({ groups: ['staff', 'shop'] })), /operator shop$/);
    assert.match(await outcome(token({ groups: ['shop', 'sre'] })), /operator null$/);
    assert.match(await outcome(token({ groups: 'sre', aud: ['x', 'heddle'] })), /operator null$/);
    const { expiresAt } = await tokens.verify(token());
    assert.equal(expiresAt, clock.now() + 360_000);
  });

  it('are refused where anything about them is not as it should be', async () => {
    const { token, outcome, now } = makeWorld();
    const secret = encode({ alg: 'HS256', kid: 'rsa' });
    const body = token().split('.')[1]!;
    const publicPem = JSON.stringify(rsa.jwk);
    const hmac = createHmac('sha256', publicPem).update(`${secret}.${body}`).digest('base64url');
    for (const [text, reason] of [
      [token({ iss: 'https://evil.example' }), /another issuer/],
      [token({ aud: 'other' }), /not for the audience heddle/],
      [token({ exp: now() - 60 }), /has expired/],
      [token({ nbf: now() + 61 }), /not valid yet/],
      [token({ exp: undefined }), /claim exp/],
      [token({ email: undefined }), /claim email names nobody/],
      [token({ email: 'a\nb' }), /claim email names nobody/],
      [token({ email_verified: false }), /not verified/],
      [token({ groups: [] }), /alice@example.org has no role here/],
      [token({}, { alg: 'none' }), /no algorithm that is taken/],
      [`${encode({ alg: 'none' })}.${body}.`, /no JWT/],
      [`${secret}.${body}.${hmac}`, /no algorithm that is taken/],
      [token({}, { alg: 'ES256' }), /no key of the issuer/],
      [token({}, { kid: 'ec' }), /no key of the issuer/],
      [token({}, { crit: ['b64'] }), /no algorithm that is taken/],
      [token({}, {}, { ...key('rsa', 'RS256') }), /no key of the issuer/],
      [token().slice(0, -4) + 'AAAA', /no key of the issuer/],
      ['a.b', /no JWT/],
      [token({ pad: 'x'.repeat(20_000) }), /longer than/],
    ] as const)
      assert.match(await outcome(text), reason);
  });

  it('may be a minute early or late', async () => {
    const { token, outcome, now } = makeWorld();
    assert.match(await outcome(token({ exp: now() - 59 })), /viewer/);
    assert.match(await outcome(token({ nbf: now() + 60, iat: now() + 60 })), /viewer/);
  });

  it('are checked with keys that are followed as the issuer changes them', async () => {
    const { token, outcome, site, clock } = makeWorld();
    assert.match(await outcome(token()), /viewer/);
    assert.equal(site.asked, 2);
    const fresh = key('fresh', 'ES256');
    site.keys = [fresh.jwk];
    clock.advance(10_000);
    assert.match(await outcome(token({}, {}, fresh)), /viewer/);
    assert.match(await outcome(token()), /no key of the issuer/, 'the old one went with it');
    const asked = site.asked;
    for (let i = 0; i < 10; i++) await outcome(token({}, { kid: `unknown-${i}` }));
    assert.equal(site.asked, asked, 'strangers make us ask no more often');
  });

  it('are checked with the last keys while the issuer is away, for a day', async () => {
    const { token, outcome, site, clock } = makeWorld();
    assert.match(await outcome(token()), /viewer/);
    site.isDown = true;
    clock.advance(23 * 3_600_000);
    assert.match(await outcome(token()), /viewer/);
    clock.advance(3_600_000);
    assert.match(await outcome(token()), /could not be fetched/);
  });

  it('are not taken by the word of another issuer, nor by weak keys', async () => {
    const stranger = makeWorld();
    stranger.site.issuer = 'https://evil.example';
    assert.match(await stranger.outcome(stranger.token()), /could not be fetched/);
    const weak = makeWorld();
    const short = key('short', 'RS256', 1024);
    weak.site.keys = [short.jwk, { ...ec.jwk, use: 'enc' }];
    for (const by of [short, ec])
      assert.match(await weak.outcome(weak.token({}, {}, by)), /no key of the issuer/);
  });
});
