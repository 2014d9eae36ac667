import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { FilterChainConfig, ListenerConfig } from '../config/listener-config.ts';
import type { StackEnvironment } from '../stack/http-stack.ts';
import type { LinkSecurity, SecretProvider } from '../tls/link-security.ts';
import { linkSecurityOf } from '../tls/link-security-of.ts';
import type { ConnectionGroup } from './connection-group.ts';
import { HttpConnections } from './http-connections.ts';

type Direction = ListenerConfig<ConnectionPool>['direction'];

/** A filter chain in force: its configuration and the connections it serves. */
export class ActiveChain {
  readonly group: ConnectionGroup;
  /** Null for plain connections. */
  readonly security: LinkSecurity | null;
  private readonly http: HttpConnections;
  private readonly key: string;

  constructor(
    config: FilterChainConfig<ConnectionPool>,
    direction: Direction,
    environment: StackEnvironment,
    secrets: SecretProvider,
  ) {
    const { filter, tls } = config;
    this.key = chainKey(config);
    this.security = tls === null ? null : linkSecurityOf(tls, secrets);
    this.http = new HttpConnections({ ...filter, tls, direction }, environment);
    this.group = this.http;
  }

  /**
   * Goes on with a changed configuration if its connections can; false where they can't: then it is to be drained and
   * another one takes its place.
   */
  update(config: FilterChainConfig<ConnectionPool>, direction: Direction): boolean {
    if (chainKey(config) !== this.key) return false;
    this.http.update({ ...config.filter, tls: config.tls, direction });
    return true;
  }

  /** Gives back what it holds. To be called when no connection is left. */
  close(): void {
    this.http.close();
  }
}

/** Chains with the same key serve the same connections in the same way, apart from what can be replaced while they run. */
function chainKey({ name, match, tls, filter }: FilterChainConfig<ConnectionPool>): string {
  return JSON.stringify([name, match, tlsKey(tls), filter.kind]);
}

/** What of a TLS context needs another handshake when it changes. */
export function tlsKey(tls: FilterChainConfig<ConnectionPool>['tls']): string {
  // Certificates and keys print as digests of theirs.
  return JSON.stringify(tls);
}
