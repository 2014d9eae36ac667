import type { Certificate } from '@heddle/identity';
import type { LinkSecurity } from '../../tls/link-security.ts';

/** A session that a server has given, with the chain that it showed then: a resumed handshake shows none. */
export interface RememberedSession {
  readonly session: Buffer;
  readonly chain: readonly Certificate[];
}

/** Addresses remembered for each cluster; those not used for longest are forgotten. */
const maxAddresses = 256;

/**
 * Sessions to resume: by cluster, then by address and by what the client showed and trusted when it got them. Each is used
 * once (RFC 8446 appendix C.4), the newest first.
 */
export class ClientSessions {
  private readonly byLink = new WeakMap<LinkSecurity, Map<string, RememberedSession[]>>();

  /** A session for this address; null for none. */
  take(security: LinkSecurity, key: string): RememberedSession | null {
    const sessions = this.byLink.get(security);
    const stack = sessions?.get(key);
    const session = stack?.pop() ?? null;
    if (stack?.length === 0) sessions?.delete(key);
    return session;
  }

  put(security: LinkSecurity, key: string, session: RememberedSession): void {
    let sessions = this.byLink.get(security);
    if (sessions === undefined) {
      sessions = new Map();
      this.byLink.set(security, sessions);
    }
    const stack = sessions.get(key) ?? [];
    stack.push(session);
    if (stack.length > security.maxSessions) stack.shift();
    // Last in the order of insertion: used last.
    sessions.delete(key);
    sessions.set(key, stack);
    if (sessions.size > maxAddresses) {
      const [oldest] = sessions.keys();
      if (oldest !== undefined) sessions.delete(oldest);
    }
  }
}
