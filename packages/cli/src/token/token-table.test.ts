import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTokens } from './token-table.ts';

test('shows tokens with whose they are and until when, in 80 columns', () => {
  const base = {
    subject: null,
    role: null,
    namespace: null,
    createdAt: 0,
    expiresAt: null,
    lastUsedAt: null,
  };
  const text = renderTokens(
    [
      {
        ...base,
        id: '3f1c5a0b9d2e',
        kind: 'api',
        subject: 'alice',
        role: 'operator',
        namespace: 'shop',
        expiresAt: 90_000,
        lastUsedAt: 50_000,
      },
      {
        ...base,
        id: 'aaaaaaaaaaaa',
        kind: 'dashboard',
        subject: 'dashboard',
        role: 'viewer',
        expiresAt: 60_000,
      },
      { ...base, id: 'Zm9vYmFyYmF6', kind: 'join', usesLeft: 0, serviceAccount: 'reviews' },
    ],
    60_000,
    80,
  );
  assert.equal(
    text,
    `ID            KIND       SUBJECT    ROLE              CREATED  EXPIRES  USED
3f1c5a0b9d2e  api        alice      operator in shop  60s ago  in 30s   10s ago
aaaaaaaaaaaa  dashboard  dashboard  viewer            60s ago  expired  never
Zm9vYmFyYmF6  join       reviews    -                 60s ago  used up  -
`,
  );
});
