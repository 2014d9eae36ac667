/** Tokens that commands on this machine find in the store directory, readable by its owner only. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JoinTokens } from '@heddle/ca';
import { certificateSha256, parseJoinToken, writeFileAtomically, type TrustBundle } from '@heddle/identity';
import type { Authenticator } from '../api/authenticator.ts';
import { storeFiles } from './store-directory.ts';

async function readIfThere(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return '';
  }
}

/** Makes sure that `admin-token` holds a token that the API takes. A new one withdraws the old. */
export async function ensureAdminToken(directory: string, authenticator: Authenticator): Promise<void> {
  const path = join(directory, storeFiles.adminToken);
  const token = await readIfThere(path);
  if (token !== '' && authenticator.principalOfOwn(token, 'api')?.role === 'admin') return;
  await writeFileAtomically(path, `${authenticator.replaceAdminToken()}\n`);
}

/** Makes sure that `local-token` holds a join token that works: any number of uses, any workload, without end. */
export async function ensureLocalToken(
  directory: string,
  tokens: JoinTokens,
  bundle: TrustBundle,
): Promise<void> {
  const path = join(directory, storeFiles.localToken);
  const present = parseJoinToken(await readIfThere(path));
  const root = bundle.roots[0];
  const rootSha256 = root === undefined ? '' : certificateSha256(root).toString('base64url');
  if (present.ok && present.value.rootSha256 === rootSha256) {
    const anybody = { namespace: 'default', serviceAccount: 'default' };
    if ((await tokens.check(present.value.credential(), anybody)).ok) return;
  }
  const fresh = await tokens.create(bundle, noLimits);
  await writeFileAtomically(path, `${fresh.text()}\n`);
}

const noLimits = { uses: null, ttlMs: null, namespace: null, serviceAccount: null };
