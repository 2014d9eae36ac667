import { systemClock } from '@heddle/base';
import type { TokensResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import type { TokenListFlags } from '../commands/token.ts';
import { ExitCode } from '../exit-code.ts';
import { terminalColumns } from '../output/table.ts';
import { renderTokens } from './token-table.ts';

/** `heddle token list`. */
export async function listTokens(flags: TokenListFlags): Promise<number> {
  const api = await connectApi(flags);
  const { tokens } = await api.get<TokensResponse>('/api/v1/tokens');
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify({ items: tokens }, null, 2)}\n`);
  else if (flags.output === 'yaml') process.stdout.write((await import('yaml')).stringify({ items: tokens }));
  else process.stdout.write(renderTokens(tokens, systemClock.now(), terminalColumns()));
  return ExitCode.ok;
}
