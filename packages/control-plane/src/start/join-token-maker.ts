import type { JoinTokens } from '@heddle/ca';
import type { TrustBundle } from '@heddle/identity';
import type { TokenRequest, TokenResponse } from '../api/types.ts';

const defaultUses = 1;
const defaultTtlSeconds = 3600;

/** Makes join tokens for people, with the command that uses them. `joinAddress` is `host:port` as others reach it. */
export function joinTokenMaker(
  tokens: JoinTokens,
  bundle: () => TrustBundle,
  joinAddress: () => string,
): (request: TokenRequest) => Promise<TokenResponse> {
  return async ({ uses, ttlSeconds, namespace, serviceAccount }) => {
    const token = await tokens.create(bundle(), {
      uses: uses ?? defaultUses,
      ttlMs: (ttlSeconds ?? defaultTtlSeconds) * 1000,
      namespace: namespace ?? null,
      serviceAccount: serviceAccount ?? null,
    });
    const scope = namespace === undefined ? '' : ` -n ${namespace}`;
    // The token itself goes by HEDDLE_TOKEN or a file: arguments are visible to everybody on a machine.
    const joinCommand = `heddle run --join ${joinAddress()}${scope} --service NAME --port PORT -- COMMAND`;
    return { token: token.text(), joinCommand };
  };
}
