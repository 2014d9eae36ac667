import type { ConnectionFlags } from '../commands/connection-flags.ts';
import { connectApi } from '../api/connect.ts';
import { ExitCode } from '../exit-code.ts';

/** `heddle token revoke`. Ends with the first token that there is none of. */
export async function revokeTokens(flags: ConnectionFlags, ...ids: readonly string[]): Promise<number> {
  const api = await connectApi(flags);
  for (const id of ids) {
    await api.delete(`/api/v1/tokens/${encodeURIComponent(id)}`);
    process.stdout.write(`token ${id} revoked\n`);
  }
  return ExitCode.ok;
}
