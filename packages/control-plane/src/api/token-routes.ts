/** Making, listing and revoking tokens: for admins only. */
import { credentialId, type Credential } from '../store/credential-store.ts';
import type { Api, ApiOptions } from './app.ts';
import { RequestRefused } from './failure.ts';
import { limitBody, maxBodyBytes, readBody } from './read-body.ts';
import { requireUnbound } from './principal.ts';
import { tokenSchema } from './schemas.ts';
import type { TokenRequest, TokenResponse, TokensResponse, TokenSummary } from './types.ts';

/** Adds the paths below `/api/v1/tokens`. */
export function addTokens(app: Api, { backend, authenticator }: ApiOptions): void {
  app.use('/api/v1/tokens/*', async (context, next) => {
    requireUnbound(context.get('principal'));
    await next();
  });
  app.get('/api/v1/tokens', async (context) => {
    const joining = await backend.joinTokens();
    const tokens = [...authenticator.list().map(describe), ...joining];
    return context.json({ tokens } satisfies TokensResponse);
  });
  app.post('/api/v1/tokens', limitBody(maxBodyBytes), async (context) => {
    // Absent and undefined mean the same here; JSON has no undefined.
    const request = (await readBody(context, tokenSchema)) as TokenRequest;
    if (request.kind === 'join') return context.json(await backend.createJoinToken(request));
    const { kind, role = 'viewer', subject, namespace, ttlSeconds } = request;
    const token = authenticator.createToken({
      kind,
      role,
      ...(subject === undefined ? {} : { subject }),
      namespace,
      ttlMs: ttlSeconds === undefined ? undefined : ttlSeconds * 1000,
    });
    return context.json({ token } satisfies TokenResponse);
  });
  app.delete('/api/v1/tokens/:id', async (context) => {
    const { id } = context.req.param();
    if (authenticator.revoke(id) || (await backend.revokeJoinToken(id))) return context.body(null, 204);
    throw new RequestRefused(404, 'HEDDLE_NO_SUCH_TOKEN', `There is no token "${id}".`, {
      hint: 'heddle token list shows their ids.',
    });
  });
}

function describe(credential: Credential): TokenSummary {
  const { kind, subject, role, namespace, createdAt, expiresAt, lastUsedAt } = credential;
  const id = credentialId(credential);
  return { id, kind, subject, role, namespace, createdAt, expiresAt, lastUsedAt };
}
