import type { TokenRequest, TokenResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import type { TokenCreateFlags } from '../commands/token.ts';
import { ExitCode } from '../exit-code.ts';

/** `heddle token create`: the token alone on standard output, what to do with it on standard error. */
export async function createToken(flags: TokenCreateFlags): Promise<number> {
  const api = await connectApi(flags);
  const request: TokenRequest = {
    kind: flags.kind,
    ...(flags.kind === 'join' ? { uses: flags.uses, ttlSeconds: Math.ceil(flags.ttl / 1000) } : {}),
    ...(flags.subject === undefined ? {} : { subject: flags.subject }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.serviceAccount === undefined ? {} : { serviceAccount: flags.serviceAccount }),
  };
  const { token, joinCommand } = await api.post<TokenResponse>('/api/v1/tokens', request);
  process.stdout.write(`${token}\n`);
  if (joinCommand !== undefined && process.stderr.isTTY) {
    process.stderr.write(`\nOn the other machine, with this token in HEDDLE_TOKEN:\n  ${joinCommand}\n`);
  }
  return ExitCode.ok;
}
