/** Who may use the API: bearers of tokens, and browsers that have logged in. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@heddle/base';
import type { CredentialKind, CredentialStore } from '../store/credential-store.ts';

/** How long a login lasts without use. */
const sessionMs = 12 * 3_600_000;
/** Oldest sessions end when there are more. */
const maxSessions = 1000;

const prefixes: Record<CredentialKind, string> = { admin: 'hda_', dashboard: 'hdd_' };

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
  /** By SHA-256 of the session's id: end in milliseconds since 1970. In order of the last use. */
  private readonly sessions = new Map<string, number>();

  constructor(credentials: CredentialStore, clock: Clock) {
    this.credentials = credentials;
    this.clock = clock;
  }

  /** Whether a token of this kind was ever made. */
  has(kind: CredentialKind): boolean {
    return this.credentials.list().some((credential) => credential.kind === kind);
  }

  /** Makes a token. It is returned this once; only its hash is kept. */
  createToken(kind: CredentialKind): string {
    const token = prefixes[kind] + randomBytes(32).toString('base64url');
    this.credentials.add({ kind, hash: sha256(token), createdAt: this.clock.now() });
    return token;
  }

  /** Makes a token and withdraws all others of its kind. */
  replaceTokens(kind: CredentialKind): string {
    this.credentials.removeAll(kind);
    return this.createToken(kind);
  }

  /** Whether `token` is one of this kind. Takes the same time whichever it isn't. */
  isToken(token: string, kind: CredentialKind): boolean {
    const hash = sha256(token);
    let found = false;
    for (const credential of this.credentials.list()) {
      if (credential.hash.length !== hash.length) continue;
      const same = timingSafeEqual(credential.hash, hash);
      if (same && credential.kind === kind) found = true;
    }
    return found;
  }

  /** Starts a session for whoever shows a dashboard's or admin's token; returns its id, or undefined. */
  login(token: string): string | undefined {
    if (!this.isToken(token, 'dashboard') && !this.isToken(token, 'admin')) return undefined;
    const id = randomBytes(32).toString('base64url');
    this.sessions.set(sha256(id).toString('hex'), this.clock.now() + sessionMs);
    for (const key of this.sessions.keys()) {
      if (this.sessions.size <= maxSessions) break;
      this.sessions.delete(key);
    }
    return id;
  }

  /** Whether the session is running; its use makes it last. The look-up is by hash, so its timing tells nothing. */
  isSession(id: string): boolean {
    const key = sha256(id).toString('hex');
    const end = this.sessions.get(key);
    if (end === undefined) return false;
    this.sessions.delete(key);
    if (end <= this.clock.now()) return false;
    this.sessions.set(key, this.clock.now() + sessionMs);
    return true;
  }

  logout(id: string): void {
    this.sessions.delete(sha256(id).toString('hex'));
  }
}
