import type { TokenRequest, TokenResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import type { TokenCreateFlags } from '../commands/token.ts';
import { ExitCode } from '../exit-code.ts';

/** `heddle token create`: the token alone on standard output, what to do with it on standard error. */
export async function createToken(flags: TokenCreateFlags): Promise<number> {
  const api = await connectApi(flags);
  const { kind, role, subject, uses, ttl, namespace, serviceAccount } = flags;
  const request: TokenRequest = {
    kind,
    ...(role === undefined ? {} : { role }),
    ...(uses === undefined ? {} : { uses }),
    ...(ttl === undefined ? {} : { ttlSeconds: Math.ceil(ttl / 1000) }),
    ...(subject === undefined ? {} : { subject }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
  };
  const { token, joinCommand } = await api.post<TokenResponse>('/api/v1/tokens', request);
  process.stdout.write(`${token}\n`);
  if (joinCommand !== undefined && process.stderr.isTTY) {
    process.stderr.write(`\nOn the other machine, with this token in HEDDLE_TOKEN:\n  ${joinCommand}\n`);
  }
  return ExitCode.ok;
}
