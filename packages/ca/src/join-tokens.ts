import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, type Result, err, ok } from '@heddle/base';
import { type TrustBundle, JoinToken, certificateSha256 } from '@heddle/identity';
import type { JoinTokenRecord, TokenStore } from './token-store.ts';

export interface JoinTokenOptions {
  /** How many sidecars may join with it; null for any number. */
  readonly uses: number | null;
  /** For how long; null for ever. */
  readonly ttlMs: number | null;
  /** The one namespace it is good for; null for any. */
  readonly namespace: string | null;
  /** The one service account it is good for; null for any. */
  readonly serviceAccount: string | null;
}

/** Why a token is refused. */
export type TokenRefusal = 'malformed' | 'unknown' | 'wrong' | 'used-up' | 'expired' | 'not-allowed';

/** For whom somebody wants to use a token. */
export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: string;
}

const idBytes = 9;
const secretBytes = 32;
const credentialPattern = /^([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{43})$/;

// The secret has 256 random bits: nothing is gained by a slow hash, and a fast one can't be used to wear the server out.
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function refusalOf(record: JoinTokenRecord, subject: TokenSubject, nowMs: number): TokenRefusal | null {
  if (record.expiresAtMs !== null && nowMs >= record.expiresAtMs) return 'expired';
  if (record.usesLeft !== null && record.usesLeft <= 0) return 'used-up';
  if (record.namespace !== null && record.namespace !== subject.namespace) return 'not-allowed';
  if (record.serviceAccount !== null && record.serviceAccount !== subject.serviceAccount)
    return 'not-allowed';
  return null;
}

/** Makes and checks join tokens. Secrets are shown once and stored as hashes only. */
export class JoinTokens {
  private readonly store: TokenStore;
  private readonly clock: Clock;

  constructor(store: TokenStore, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Makes a token that pins the signing root of `bundle`. The result's `text()` is the only copy of the secret. */
  async create(bundle: TrustBundle, options: JoinTokenOptions): Promise<JoinToken> {
    const secret = randomBytes(secretBytes).toString('base64url');
    const id = randomBytes(idBytes).toString('base64url');
    const nowMs = this.clock.now();
    await this.store.put({
      id,
      secretSha256: hashOf(secret).toString('base64url'),
      createdAtMs: nowMs,
      expiresAtMs: options.ttlMs === null ? null : nowMs + options.ttlMs,
      usesLeft: options.uses,
      namespace: options.namespace,
      serviceAccount: options.serviceAccount,
    });
    return new JoinToken(id, secret, certificateSha256(bundle.roots[0]!).toString('base64url'));
  }

  /** Checks `<id>.<secret>` without using it up. Says what is wrong with a token only to those who know its secret. */
  async check(credential: string, subject: TokenSubject): Promise<Result<JoinTokenRecord, TokenRefusal>> {
    const [, id = '', secret = ''] = credentialPattern.exec(credential) ?? [];
    if (id === '') return err('malformed');
    const record = await this.store.get(id);
    if (record === null) return err('unknown');
    const stored = Buffer.from(record.secretSha256, 'base64url');
    const shown = hashOf(secret);
    if (stored.length !== shown.length || !timingSafeEqual(stored, shown)) return err('wrong');
    const refusal = refusalOf(record, subject, this.clock.now());
    return refusal === null ? ok(record) : err(refusal);
  }

  /** Checks `<id>.<secret>` and takes one use. Of several callers racing for the last use, one gets it. */
  async redeem(credential: string, subject: TokenSubject): Promise<Result<JoinTokenRecord, TokenRefusal>> {
    const record = await this.check(credential, subject);
    if (!record.ok) return record;
    return (await this.store.decrement(record.value.id)) ? record : err('used-up');
  }

  /** All tokens that were made and not revoked, also those that are used up or expired. */
  async list(): Promise<readonly JoinTokenRecord[]> {
    return await this.store.list();
  }

  /** Withdraws a token: nobody can join with it from now on. False where there is none. */
  async revoke(id: string): Promise<boolean> {
    return await this.store.delete(id);
  }
}
