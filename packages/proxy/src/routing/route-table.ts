// Hot path: `match` allocates one string where the target has a query, and nothing else once a host has been seen.
import type { Random } from '@heddle/base';
import type { DomainTable } from './domain-table.ts';
import { HostCache } from './host-cache.ts';
import { pathWithoutQuery } from './path-matcher.ts';
import type { RequestView } from './request-view.ts';
import type { RouteMatch } from './route-match.ts';
import { mustUseTls, tlsRedirect } from './tls-redirect.ts';
import type { VirtualHost } from './virtual-host.ts';

/** What finds routes for requests. */
export interface RouteFinder<C> {
  readonly name: string;
  /** All that there may be routes in. */
  readonly virtualHosts: readonly VirtualHost<C>[];
  /** What happens to a request; null where no route is for it (404, flag NR). */
  match(request: RequestView, random: Random): RouteMatch<C> | null;
}

/** A compiled route configuration; immutable. `C` is what cluster names were resolved to. */
export class RouteTable<C> implements RouteFinder<C> {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost<C>[];
  private readonly domains: DomainTable<VirtualHost<C>>;
  private readonly cache = new HostCache<VirtualHost<C>>();
  private readonly onlyHost: VirtualHost<C> | null;
  private readonly ignoresPort: boolean;
  private readonly ignoresParameters: boolean;

  constructor(
    name: string,
    virtualHosts: readonly VirtualHost<C>[],
    domains: DomainTable<VirtualHost<C>>,
    ignoresPort: boolean,
    ignoresParameters: boolean,
  ) {
    this.name = name;
    this.virtualHosts = virtualHosts;
    this.domains = domains;
    this.ignoresPort = ignoresPort;
    this.ignoresParameters = ignoresParameters;
    this.onlyHost = domains.onlyEntry;
  }

  /** What happens to a request; null where no virtual host or no route is for it (404, flag NR). */
  match(request: RequestView, random: Random): RouteMatch<C> | null {
    const host = this.onlyHost ?? this.virtualHost(request.authority);
    if (host === null) return null;
    if (host.tlsRequirement !== 'none' && mustUseTls(host.tlsRequirement, request)) return tlsRedirect;
    const whole = pathWithoutQuery(request.path);
    const path = this.ignoresParameters ? withoutParameters(whole) : whole;
    const routes = host.routes;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      if (route.matches(request, path, random)) return route.choose(request, random);
    }
    return null;
  }

  /** The virtual host for a value of `Host`. */
  virtualHost(authority: string): VirtualHost<C> | null {
    const cached = this.cache.get(authority);
    if (cached !== undefined) return cached;
    const found = this.domains.find(this.ignoresPort ? withoutPort(authority) : authority);
    this.cache.set(authority, found);
    return found;
  }
}

/** Where a listener finds its routes: null until they have arrived; an update is one assignment. */
export interface RouteTableSlot<C> {
  /** The route configuration's name; empty for one given inline. */
  readonly name: string;
  current: RouteFinder<C> | null;
}

const portAtEnd = /:\d+$/;

/** `host:port` → `host`; an IPv6 address keeps its brackets. */
function withoutPort(authority: string): string {
  return authority.replace(portAtEnd, '');
}

/** Everything in front of the first `;`. */
function withoutParameters(path: string): string {
  const start = path.indexOf(';');
  return start < 0 ? path : path.slice(0, start);
}
