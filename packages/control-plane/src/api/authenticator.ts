/** Who may use the API: bearers of tokens, and browsers that have logged in. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@heddle/base';
import type { CredentialKind, CredentialStore } from '../store/credential-store.ts';

/** How long a login lasts without use. */
const sessionMs = 12 * 3_600_000;
/** Oldest sessions end when there are more. */
const maxSessions = 1000;

const prefixes: Record<CredentialKind, string> = { admin: 'hda_', dashboard: 'hdd_' };

interface Session {
  /** Whose token was shown. */
  readonly subject: string;
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
  /** By SHA-256 of the session's id, in order of the last use. */
  private readonly sessions = new Map<string, Session>();

  constructor(credentials: CredentialStore, clock: Clock) {
    this.credentials = credentials;
    this.clock = clock;
  }

  /** Whether a token of this kind was ever made. */
  has(kind: CredentialKind): boolean {
    return this.credentials.list().some((credential) => credential.kind === kind);
  }

  /** Makes a token. It is returned this once; only its hash is kept. `subject` is whose it is. */
  createToken(kind: CredentialKind, subject: string = kind): string {
    const token = prefixes[kind] + randomBytes(32).toString('base64url');
    this.credentials.add({ kind, hash: sha256(token), createdAt: this.clock.now(), subject });
    return token;
  }

  /** Makes the token that has no subject but its kind, and withdraws all others like it. */
  replaceToken(kind: CredentialKind): string {
    this.credentials.removeAll(kind, kind);
    return this.createToken(kind);
  }

  /** Whose token of this kind `token` is; undefined where it is none. Takes the same time whichever it isn't. */
  subjectOf(token: string, kind: CredentialKind): string | undefined {
    const hash = sha256(token);
    let found: string | undefined;
    for (const credential of this.credentials.list()) {
      if (credential.hash.length !== hash.length) continue;
      const same = timingSafeEqual(credential.hash, hash);
      if (same && credential.kind === kind) found = credential.subject;
    }
    return found;
  }

  /** Starts a session for whoever shows a dashboard's or admin's token; returns its id, or undefined. */
  login(token: string): string | undefined {
    const subject = this.subjectOf(token, 'dashboard') ?? this.subjectOf(token, 'admin');
    if (subject === undefined) return undefined;
    const id = randomBytes(32).toString('base64url');
    this.sessions.set(sha256(id).toString('hex'), { subject, endsAt: this.clock.now() + sessionMs });
    for (const key of this.sessions.keys()) {
      if (this.sessions.size <= maxSessions) break;
      this.sessions.delete(key);
    }
    return id;
  }

  /**
   * Who has logged in, as long as the session is running; its use makes it last. The look-up is by hash, so its timing
   * tells nothing.
   */
  subjectOfSession(id: string): string | undefined {
    const key = sha256(id).toString('hex');
    const session = this.sessions.get(key);
    if (session === undefined) return undefined;
    this.sessions.delete(key);
    if (session.endsAt <= this.clock.now()) return undefined;
    this.sessions.set(key, { ...session, endsAt: this.clock.now() + sessionMs });
    return session.subject;
  }

  logout(id: string): void {
    this.sessions.delete(sha256(id).toString('hex'));
  }
}
