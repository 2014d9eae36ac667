import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  controlPlaneSpiffeId,
  namespaceOf,
  parseSpiffeId,
  parseTrustDomain,
  parseTrustDomainUri,
  serviceAccountOf,
  trustDomainOf,
  workloadSpiffeId,
} from './spiffe-id.ts';
import { trustDomain } from './test-authority.ts';

const good = 'spiffe://cluster.local/ns/default/sa/reviews';

describe('parseSpiffeId', () => {
  test('takes the canonical form and gives back its parts', () => {
    const id = parseSpiffeId(good);
    assert.ok(id.ok);
    assert.equal(id.value, good);
    assert.equal(trustDomainOf(id.value), 'cluster.local');
    assert.equal(namespaceOf(id.value), 'default');
    assert.equal(serviceAccountOf(id.value), 'reviews');
  });

  test('takes every character that the standard allows', () => {
    assert.ok(parseSpiffeId('spiffe://a_b-c.9/ns/A-z_0.9/sa/...').ok);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /does not start/],
    ['another scheme', 'https://cluster.local/ns/a/sa/b', /does not start/],
    ['a scheme in capitals', 'SPIFFE://cluster.local/ns/a/sa/b', /does not start/],
    ['no trust domain', 'spiffe:///ns/a/sa/b', /trust domain is empty/],
    ['a trust domain in capitals', 'spiffe://Cluster.local/ns/a/sa/b', /lower-case/],
    ['a port', 'spiffe://cluster.local:80/ns/a/sa/b', /port/],
    ['user information', 'spiffe://user@cluster.local/ns/a/sa/b', /user information/],
    ['a query', `${good}?x=1`, /query/],
    ['an empty query', `${good}?`, /query/],
    ['a fragment', `${good}#x`, /fragment/],
    ['percent-encoding', 'spiffe://cluster.local/ns/a/sa/%62', /letters/],
    ['letters beyond ASCII', 'spiffe://cluster.local/ns/a/sa/bé', /letters/],
    ['a line break at the end', `${good}\n`, /letters/],
    ['a NUL', `${good}\0`, /letters/],
    ['a space', 'spiffe://cluster.local/ns/a/sa/b c', /letters/],
    ['an empty segment', 'spiffe://cluster.local/ns//sa/b', /segment is empty/],
    ['a slash at the end', `${good}/`, /segment is empty/],
    ['a dot segment', 'spiffe://cluster.local/ns/./sa/b', /relative/],
    ['a dot-dot segment', 'spiffe://cluster.local/ns/../sa/b', /relative/],
    ['no path', 'spiffe://cluster.local', /not of the form/],
    ['too short a path', 'spiffe://cluster.local/ns/a/sa', /not of the form/],
    ['too long a path', `${good}/x`, /not of the form/],
    ['other words in the path', 'spiffe://cluster.local/namespace/a/sa/b', /not of the form/],
    ['a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/ns/a/sa/b`, /longer than 255/],
    ['2049 bytes', `spiffe://a/ns/a/sa/${'b'.repeat(2030)}`, /longer than 2048/],
  ];
  for (const [name, text, message] of refused) {
    test(`refuses ${name}`, () => {
      const id = parseSpiffeId(text);
      assert.ok(!id.ok);
      assert.equal(id.error[0]?.code, 'HEDDLE_SPIFFE_ID_INVALID');
      assert.match(id.error[0]?.message ?? '', message);
    });
  }

  test('takes 2048 bytes', () => {
    assert.ok(parseSpiffeId(`spiffe://a/ns/a/sa/${'b'.repeat(2029)}`).ok);
  });

  test('shows foreign text escaped and cut', () => {
    const id = parseSpiffeId(`http://\u001b[2J${'x'.repeat(5000)}`);
    assert.ok(!id.ok);
    assert.ok(!id.error[0]!.message.includes('\u001b'));
    assert.ok(id.error[0]!.message.length < 300);
  });
});

describe('workloadSpiffeId', () => {
  test('makes an id of its parts', () => {
    const id = workloadSpiffeId({
      trustDomain: 'cluster.local',
      namespace: 'default',
      serviceAccount: 'reviews',
    });
    assert.deepEqual(id, { ok: true, value: good });
  });

  test('refuses parts that would change the path', () => {
    for (const part of ['', '.', '..', 'a/b', 'a?b', 'a#b', 'a%2fb']) {
      const parts = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };
      assert.ok(!workloadSpiffeId({ ...parts, namespace: part }).ok, part);
      assert.ok(!workloadSpiffeId({ ...parts, serviceAccount: part }).ok, part);
      assert.ok(!workloadSpiffeId({ ...parts, trustDomain: `a${part}/` }).ok, part);
    }
  });

  test('refuses an id that is too long as a whole', () => {
    const parts = { trustDomain: 'a', namespace: 'n'.repeat(1024), serviceAccount: 's'.repeat(1024) };
    assert.ok(!workloadSpiffeId(parts).ok);
  });
});

describe('trust domains', () => {
  test('are parsed with and without the scheme', () => {
    assert.deepEqual(parseTrustDomain('cluster.local'), { ok: true, value: 'cluster.local' });
    assert.deepEqual(parseTrustDomainUri('spiffe://cluster.local'), { ok: true, value: 'cluster.local' });
    assert.ok(!parseTrustDomainUri('spiffe://cluster.local/').ok);
    assert.ok(!parseTrustDomainUri('cluster.local').ok);
  });

  test('have one control plane identity, which is well-formed', () => {
    const id = controlPlaneSpiffeId(trustDomain('cluster.local'));
    assert.equal(id, 'spiffe://cluster.local/ns/heddle-system/sa/control-plane');
    assert.ok(parseSpiffeId(id).ok);
  });
});
