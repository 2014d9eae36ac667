import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsSecret } from './holds-secret.ts';

/** The lines that may be shown. */
function shownOf(text: string): string[] {
  const lines = text.split('\n');
  return lines.filter((_, index) => !holdsSecret(lines, index)).map((line) => line.trim());
}

test('hides lines that name a secret, and what stands under them', () => {
  const yaml = `tls_certificates:
- certificate_chain: {filename: c.pem}
  private_key:
    inline_string: |
      c2VjcmV0
      c2VjcmV0
  watched_directory: {path: /x}
password: hunter2
admin: {address: 1}`;
  assert.deepEqual(shownOf(yaml), [
    'tls_certificates:',
    '- certificate_chain: {filename: c.pem}',
    'watched_directory: {path: /x}',
    'admin: {address: 1}',
  ]);
});

test('hides them in JSON of one line and of many, in either spelling', () => {
  assert.deepEqual(shownOf('{"admin": 1, "privateKey": {"inlineString": "x"}}'), []);
  assert.deepEqual(
    shownOf('{\n  "session_ticket_keys": {\n    "keys": [\n      "x"\n    ]\n  },\n  "b": 1\n}'),
    ['{', '},', '"b": 1', '}'],
  );
});

test('hides what a Secret holds, and the lines of a private key wherever they are', () => {
  assert.deepEqual(shownOf('kind: Secret\nmetadata: {name: a}\nstringData:\n  k: v'), [
    'metadata: {name: a}',
  ]);
  const pem = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----';
  assert.deepEqual(shownOf(`a: 1\n${pem}\nb: 2`), ['a: 1', 'b: 2']);
});

test('shows what only refers to a secret by its name', () => {
  const yaml = 'tls_certificate_sds_secret_configs:\n- name: default';
  assert.equal(shownOf(yaml).length, 2);
});
