import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { parseJoinToken } from './join-token.ts';

const secret = randomBytes(32).toString('base64url');
const hash = randomBytes(32).toString('base64url');
const text = `hdl1.abcdefgh.${secret}.${hash}`;

describe('parseJoinToken', () => {
  test('reads a token, with white space around it', () => {
    const token = parseJoinToken(` ${text}\n`);
    assert.ok(token.ok);
    assert.equal(token.value.id, 'abcdefgh');
    assert.equal(token.value.rootSha256, hash);
    assert.equal(token.value.credential(), `abcdefgh.${secret}`);
    assert.equal(token.value.text(), text);
  });

  test('never shows the secret by itself', () => {
    const token = parseJoinToken(text);
    assert.ok(token.ok);
    const shown = `${token.value.toString()} ${inspect(token.value, { showHidden: true })} ${JSON.stringify(token.value)}`;
    assert.ok(!shown.includes(secret));
    assert.match(shown, /abcdefgh/);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /does not start/],
    ['another version', text.replace('hdl1', 'hdl2'), /does not start/],
    ['a token without its hash', `hdl1.abcdefgh.${secret}`, /3 parts/],
    ['a token with something behind it', `${text}.x`, /5 parts/],
    ['an empty id', `hdl1..${secret}.${hash}`, /id is damaged/],
    ['an id with other characters', `hdl1.abc/efgh.${secret}.${hash}`, /id is damaged/],
    ['a secret cut off', `hdl1.abcdefgh.${secret.slice(0, -1)}.${hash}`, /secret is damaged/],
    ['a secret with padding', `hdl1.abcdefgh.${secret}=.${hash}`, /secret is damaged/],
    ['a secret in the other base64', `hdl1.abcdefgh.${'+'.repeat(43)}.${hash}`, /secret is damaged/],
    ['a hash cut off', `hdl1.abcdefgh.${secret}.${hash.slice(0, -2)}`, /hash of the root/],
  ];
  for (const [name, wrong, message] of refused) {
    test(`refuses ${name} in one sentence that holds no secret`, () => {
      const token = parseJoinToken(wrong);
      assert.ok(!token.ok);
      assert.equal(token.error.code, 'HEDDLE_JOIN_TOKEN_INVALID');
      assert.match(token.error.message, message);
      assert.ok(!inspect(token.error).includes(secret.slice(0, 12)));
    });
  }
});
