// Hot path: of connection managers whose routes depend on fields of the request.
import type { Random } from '@heddle/base';
import type { RequestView } from './request-view.ts';
import type { RouteMatch } from './route-match.ts';
import type { RouteFinder, RouteTableSlot } from './route-table.ts';
import { type KeyFragment, scopeKeyOf } from './scope-key.ts';
import type { VirtualHost } from './virtual-host.ts';

/** Several route tables, of which fields of a request choose one (`scoped_routes`). */
export class ScopedRoutes<C> implements RouteFinder<C> {
  readonly name: string;
  private readonly fragments: readonly KeyFragment[];
  /** By key. */
  private readonly scopes: ReadonlyMap<string, RouteTableSlot<C>>;

  constructor(
    name: string,
    fragments: readonly KeyFragment[],
    scopes: ReadonlyMap<string, RouteTableSlot<C>>,
  ) {
    this.name = name;
    this.fragments = fragments;
    this.scopes = scopes;
  }

  get slots(): readonly RouteTableSlot<C>[] {
    return [...this.scopes.values()];
  }

  get virtualHosts(): readonly VirtualHost<C>[] {
    return this.slots.flatMap(({ current }) => current?.virtualHosts ?? []);
  }

  match(request: RequestView, random: Random): RouteMatch<C> | null {
    const key = scopeKeyOf(request, this.fragments);
    const table = key === null ? null : (this.scopes.get(key)?.current ?? null);
    return table === null ? null : table.match(request, random);
  }
}
