import type { MetricScope } from '@heddle/telemetry';
import type { AccessLog } from '../access-log/access-log.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { FilterChainConfig, ListenerConfig } from '../config/listener-config.ts';
import { buildConnectionFilters } from '../policy/build-connection-filters.ts';
import type { StackEnvironment } from '../stack/http-stack.ts';
import { buildTcpStack } from '../stack/tcp-stack.ts';
import { TlsMetrics } from '../stats/tls-metrics.ts';
import { TcpConnections } from '../tcp/tcp-connections.ts';
import type { LinkSecurity, SecretProvider } from '../tls/link-security.ts';
import { linkSecurityOf } from '../tls/link-security-of.ts';
import type { ConnectionGroup, ConnectionObserver } from './connection-group.ts';
import { GuardedConnections } from './guarded-connections.ts';
import { HttpConnections } from './http-connections.ts';

type Direction = ListenerConfig<ConnectionPool>['direction'];

/** A filter chain in force: its configuration and the connections it serves. */
export class ActiveChain {
  readonly group: ConnectionGroup;
  /** Null for plain connections. */
  readonly security: LinkSecurity | null;
  private readonly key: string;
  /** Where the settings can be replaced under live connections; null where a change needs another chain. */
  private readonly http: HttpConnections | null;
  private readonly giveBack: () => void;
  private readonly scope: MetricScope;
  private readonly listenerAddress: string;

  constructor(
    config: FilterChainConfig<ConnectionPool>,
    direction: Direction,
    environment: StackEnvironment,
    secrets: SecretProvider,
    listenerAddress: string,
    observer: ConnectionObserver,
  ) {
    const { filter, tls, connectionFilters } = config;
    this.key = chainKey(config);
    this.listenerAddress = listenerAddress;
    this.scope = environment.registry.scope();
    this.security =
      tls === null ? null : linkSecurityOf(tls, secrets, new TlsMetrics(this.scope, { listenerAddress }));
    const guard = (group: ConnectionGroup, logs: readonly AccessLog[]): ConnectionGroup => {
      if (connectionFilters.length === 0) return group;
      const filters = buildConnectionFilters(connectionFilters, this.scope);
      return new GuardedConnections(group, filters, logs, environment.context.clock, observer);
    };
    if (filter.kind === 'http') {
      const http = new HttpConnections({ ...filter, tls, direction, listenerAddress }, environment, observer);
      this.http = http;
      this.group = guard(http, []);
      this.giveBack = () => http.close();
    } else {
      const stack = buildTcpStack(filter, environment);
      this.http = null;
      const connections = new TcpConnections(stack.settings, environment.context, observer);
      this.group = guard(connections, stack.settings.accessLogs);
      this.giveBack = () => stack.close();
    }
  }

  /**
   * Goes on with a changed configuration if its connections can; false where they can't: then it is to be drained and
   * another one takes its place.
   */
  update(config: FilterChainConfig<ConnectionPool>, direction: Direction): boolean {
    if (chainKey(config) !== this.key) return false;
    const { filter, tls } = config;
    if (filter.kind === 'http')
      this.http?.update({ ...filter, tls, direction, listenerAddress: this.listenerAddress });
    return true;
  }

  /** Gives back what it holds. To be called when no connection is left. */
  close(): void {
    this.giveBack();
    this.scope.close();
  }
}

/** Chains with the same key serve the same connections in the same way, apart from what can be replaced while they run. */
function chainKey(config: FilterChainConfig<ConnectionPool>): string {
  const { fingerprint, name, match, tls, connectionFilters, filter } = config;
  // A policy that changes has to decide about connections that are there already, too: they are drained.
  if (filter.kind === 'tcp' || connectionFilters.length > 0) return `${fingerprint} ${tlsKey(tls)}`;
  return JSON.stringify([name, match, tlsKey(tls), filter.kind]);
}

/** What of a TLS context needs another handshake when it changes. */
export function tlsKey(tls: FilterChainConfig<ConnectionPool>['tls']): string {
  // Certificates and keys print as digests of theirs.
  return JSON.stringify(tls);
}
