/** Who may use the API: bearers of tokens, and browsers that have logged in. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@heddle/base';
import {
  credentialId,
  type Credential,
  type CredentialKind,
  type CredentialRole,
  type CredentialStore,
} from '../store/credential-store.ts';
import type { Principal } from './principal.ts';

/** How long a login lasts without use. */
const sessionMs = 12 * 3_600_000;
/** Oldest sessions end when there are more. */
const maxSessions = 1000;
/** How often a token's use is written down. */
const touchMs = 60_000;

const prefixes: Record<CredentialKind, string> = { api: 'hda_', dashboard: 'hdd_' };

/** Who shows tokens that others have issued; rejects with a `HeddleError` where they are wrong. */
export interface ForeignTokens {
  verify(token: string): Promise<Principal>;
}

export interface NewToken {
  readonly kind: CredentialKind;
  readonly role: CredentialRole;
  /** Whose it is; the kind where nothing is said. */
  readonly subject?: string;
  readonly namespace?: string | undefined;
  readonly ttlMs?: number | undefined;
}

interface Session {
  /** Whose token was shown. */
  readonly principal: Principal;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Tokens hold 256 bits from the operating system, so that a plain SHA-256 of them is safe to store: nobody can try so
 * many.
 */
export class Authenticator {
  private readonly credentials: CredentialStore;
  private readonly clock: Clock;
  private readonly foreign: ForeignTokens | null;
  /** By SHA-256 of the session's id, in order of the last use. */
  private readonly sessions = new Map<string, Session>();
  /** What runs on behalf of a token, by its id. */
  private readonly running = new Map<string, Set<() => void>>();

  constructor(credentials: CredentialStore, clock: Clock, foreign: ForeignTokens | null = null) {
    this.credentials = credentials;
    this.clock = clock;
    this.foreign = foreign;
  }

  /** Whether there is a token of this kind. */
  has(kind: CredentialKind): boolean {
    return this.credentials.list().some((credential) => credential.kind === kind);
  }

  /** All tokens that were made and not revoked, without their secrets. */
  list(): readonly Credential[] {
    return this.credentials.list();
  }

  /** Makes a token. It is returned this once; only its hash is kept. */
  createToken({ kind, role, subject = kind, namespace, ttlMs }: NewToken): string {
    const token = prefixes[kind] + randomBytes(32).toString('base64url');
    const now = this.clock.now();
    this.credentials.add({
      kind,
      role,
      subject,
      hash: sha256(token),
      createdAt: now,
      namespace: namespace ?? null,
      expiresAt: ttlMs === undefined ? null : now + ttlMs,
      lastUsedAt: null,
    });
    return token;
  }

  /** Makes the command line's own token, and withdraws those before it. */
  replaceAdminToken(): string {
    for (const credential of this.credentials.list())
      if (credential.kind === 'api' && credential.subject === 'admin') this.revoke(credentialId(credential));
    return this.createToken({ kind: 'api', role: 'admin', subject: 'admin' });
  }

  /** Withdraws a token: from now on it admits to nothing, and what runs on its behalf ends. False where there is none. */
  revoke(id: string): boolean {
    const credential = this.credentials.list().find((known) => credentialId(known) === id);
    if (credential === undefined) return false;
    this.credentials.remove(credential);
    for (const [key, { principal }] of this.sessions) if (principal.tokenId === id) this.sessions.delete(key);
    for (const end of this.running.get(id) ?? []) end();
    this.running.delete(id);
    return true;
  }

  /**
   * Calls `end` when a principal may go on no longer: its token is revoked, or expires. Returns how to stop waiting for it.
   */
  whenOver({ tokenId, expiresAt }: Principal, end: () => void): () => void {
    const timer = expiresAt === null ? null : this.clock.setTimer(expiresAt - this.clock.now(), end);
    const running = tokenId === null ? null : (this.running.get(tokenId) ?? new Set());
    if (tokenId !== null && running !== null) this.running.set(tokenId, running.add(end));
    return () => {
      timer?.cancel();
      running?.delete(end);
      if (tokenId !== null && running?.size === 0) this.running.delete(tokenId);
    };
  }

  /** Whose API token this is; undefined where it is none. Rejects with a `HeddleError` that says what is wrong with a foreign one. */
  async principalOf(token: string): Promise<Principal | undefined> {
    const own = this.principalOfOwn(token, 'api');
    if (own !== undefined) return own;
    const isForeign = this.foreign !== null && token.split('.').length === 3;
    return isForeign ? await this.foreign?.verify(token) : undefined;
  }

  /** The bearer of a token of ours; undefined where it is none. Takes the same time whichever it isn't. */
  principalOfOwn(token: string, kind: CredentialKind): Principal | undefined {
    const hash = sha256(token);
    const now = this.clock.now();
    let found: Credential | undefined;
    for (const credential of this.credentials.list()) {
      if (credential.hash.length !== hash.length) continue;
      const same = timingSafeEqual(credential.hash, hash);
      const isGood = credential.expiresAt === null || now < credential.expiresAt;
      if (same && isGood && credential.kind === kind) found = credential;
    }
    if (found === undefined) return undefined;
    if (found.lastUsedAt === null || now - found.lastUsedAt >= touchMs) this.credentials.touch(found, now);
    const { subject, role, namespace, expiresAt } = found;
    return { subject, role, namespace, expiresAt, tokenId: credentialId(found) };
  }

  /** Starts a session for whoever shows a token; returns its id, or undefined. */
  async login(token: string): Promise<string | undefined> {
    const principal = this.principalOfOwn(token, 'dashboard') ?? (await this.principalOf(token));
    if (principal === undefined) return undefined;
    const id = randomBytes(32).toString('base64url');
    this.sessions.set(sha256(id).toString('hex'), { principal, endsAt: this.clock.now() + sessionMs });
    for (const key of this.sessions.keys()) {
      if (this.sessions.size <= maxSessions) break;
      this.sessions.delete(key);
    }
    return id;
  }

  /**
   * Who has logged in, as long as the session is running; its use makes it last, but not longer than the token. The look-up
   * is by hash, so its timing tells nothing.
   */
  principalOfSession(id: string): Principal | undefined {
    const key = sha256(id).toString('hex');
    const session = this.sessions.get(key);
    if (session === undefined) return undefined;
    this.sessions.delete(key);
    const { principal, endsAt } = session;
    const now = this.clock.now();
    if (Math.min(endsAt, principal.expiresAt ?? Infinity) <= now) return undefined;
    this.sessions.set(key, { principal, endsAt: now + sessionMs });
    return principal;
  }

  logout(id: string): void {
    this.sessions.delete(sha256(id).toString('hex'));
  }
}
