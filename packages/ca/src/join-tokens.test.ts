import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type TrustBundle, certificateSha256, parseJoinToken } from '@heddle/identity';
import { VirtualClock } from '@heddle/testkit';
import { TemporaryDirectory, openAuthority, unwrap } from './ca-fixture.ts';
import { type JoinTokenOptions, JoinTokens } from './join-tokens.ts';
import { MemoryTokenStore } from './token-store.ts';

const anything: JoinTokenOptions = { uses: null, ttlMs: null, namespace: null, serviceAccount: null };
const reviews = { namespace: 'default', serviceAccount: 'reviews' };

describe('JoinTokens', () => {
  const temporary = new TemporaryDirectory();
  let bundle: TrustBundle;
  let clock: VirtualClock;
  let store: MemoryTokenStore;
  let tokens: JoinTokens;

  before(async () => {
    bundle = (await openAuthority(temporary.path)).bundle;
  });
  after(() => temporary.dispose());
  beforeEach(() => {
    clock = new VirtualClock();
    store = new MemoryTokenStore();
    tokens = new JoinTokens(store, clock);
  });

  async function make(options: Partial<JoinTokenOptions> = {}): Promise<string> {
    return (await tokens.create(bundle, { ...anything, ...options })).credential();
  }

  async function outcome(credential: string, subject = reviews): Promise<string> {
    const redeemed = await tokens.redeem(credential, subject);
    return redeemed.ok ? 'ok' : redeemed.error;
  }

  test('make tokens whose text is parsed again and pins the root', async () => {
    const token = await tokens.create(bundle, anything);
    const parsed = unwrap(parseJoinToken(token.text()));
    assert.equal(parsed.credential(), token.credential());
    assert.equal(parsed.rootSha256, certificateSha256(bundle.roots[0]!).toString('base64url'));
  });

  test('store no secret', async () => {
    const token = await tokens.create(bundle, anything);
    const secret = token.credential().split('.')[1]!;
    const record = await store.get(token.id);
    assert.ok(record !== null);
    assert.ok(!JSON.stringify(record).includes(secret));
  });

  test('are good for ever and for everybody unless told otherwise', async () => {
    const credential = await make();
    for (let i = 0; i < 5; i++) {
      clock.advance(365 * 24 * 3_600_000);
      assert.equal(await outcome(credential), 'ok');
    }
  });

  test('are used up after as many uses as they have', async () => {
    const credential = await make({ uses: 2 });
    assert.deepEqual(
      [await outcome(credential), await outcome(credential), await outcome(credential)],
      ['ok', 'ok', 'used-up'],
    );
  });

  test('give the last use to one of those who race for it', async () => {
    const credential = await make({ uses: 1 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(credential)));
    assert.equal(outcomes.filter((result) => result === 'ok').length, 1);
    assert.equal(outcomes.filter((result) => result === 'used-up').length, 9);
  });

  test('expire at the very moment', async () => {
    const credential = await make({ ttlMs: 1000 });
    clock.advance(999);
    assert.equal(await outcome(credential), 'ok');
    clock.advance(1);
    assert.equal(await outcome(credential), 'expired');
  });

  test('are good for their namespace and service account only, and lose no use to others', async () => {
    const credential = await make({ uses: 1, namespace: 'default', serviceAccount: 'reviews' });
    assert.equal(await outcome(credential, { ...reviews, namespace: 'other' }), 'not-allowed');
    assert.equal(await outcome(credential, { ...reviews, serviceAccount: 'admin' }), 'not-allowed');
    assert.equal(await outcome(credential), 'ok');
  });

  test('are refused with another secret, even when used up or expired', async () => {
    const credential = await make({ uses: 1, ttlMs: 1000 });
    const id = credential.split('.')[0]!;
    assert.equal(await outcome(`${id}.${'A'.repeat(43)}`), 'wrong');
    assert.equal(await outcome(`${'B'.repeat(12)}.${credential.split('.')[1]}`), 'unknown');
    assert.equal(await outcome(credential), 'ok');
    clock.advance(2000);
    assert.equal(await outcome(`${id}.${'A'.repeat(43)}`), 'wrong');
  });

  test('are refused where they are malformed', async () => {
    const credential = await make();
    for (const text of [
      '',
      '.',
      'x',
      `${credential}.x`,
      ` ${credential}`,
      `${credential}\n`,
      credential.slice(0, -1),
    ]) {
      assert.equal(await outcome(text), 'malformed', JSON.stringify(text));
    }
  });

  test('are listed without their secrets, and of no use once they are revoked', async () => {
    const credential = await make({ uses: 2 });
    const [record, ...others] = await tokens.list();
    assert.deepEqual([record?.usesLeft, others], [2, []]);
    const id = credential.split('.')[0]!;
    assert.deepEqual([await tokens.revoke(id), await tokens.revoke(id)], [true, false]);
    assert.equal(await outcome(credential), 'unknown');
    assert.deepEqual(await tokens.list(), []);
  });

  test('can be checked without using them up', async () => {
    const credential = await make({ uses: 1 });
    for (let i = 0; i < 3; i++) assert.ok((await tokens.check(credential, reviews)).ok);
    assert.equal(await outcome(credential), 'ok');
    assert.ok(!(await tokens.check(credential, reviews)).ok);
  });
});
