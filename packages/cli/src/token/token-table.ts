import type { TokenSummary } from '@heddle/control-plane';
import { type Column, renderTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';
import { visible } from '../output/visible.ts';

/** What a token is good for, in a word or two. */
function expiry({ expiresAt, usesLeft }: TokenSummary, nowMs: number): string {
  if (usesLeft === 0) return 'used up';
  if (expiresAt === null) return 'never';
  return expiresAt <= nowMs ? 'expired' : `in ${formatAge(expiresAt - nowMs)}`;
}

/** A line for each token; its times are ages. `available` is the terminal's width. */
export function renderTokens(tokens: readonly TokenSummary[], nowMs: number, available: number): string {
  const ago = (at: number): string => `${formatAge(nowMs - at)} ago`;
  const columns: readonly Column<TokenSummary>[] = [
    { title: 'ID', value: ({ id }) => id },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'SUBJECT', value: ({ subject, serviceAccount }) => visible(subject ?? serviceAccount ?? '*') },
    {
      title: 'ROLE',
      value: ({ role, namespace }) => (role ?? '-') + (namespace === null ? '' : ` in ${namespace}`),
    },
    { title: 'CREATED', value: ({ createdAt }) => ago(createdAt) },
    { title: 'EXPIRES', value: (token) => expiry(token, nowMs) },
    {
      title: 'USED',
      value: ({ kind, lastUsedAt }) =>
        lastUsedAt === null ? (kind === 'join' ? '-' : 'never') : ago(lastUsedAt),
    },
  ];
  return renderTable(columns, tokens, available);
}
