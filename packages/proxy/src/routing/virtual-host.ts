// Hot path.
import type { RouteEntry } from './route-entry.ts';

/** `require_tls`: whose requests must have come by https. */
export type TlsRequirement = 'none' | 'external-only' | 'all';

/**
 * A virtual host. Its routes may be compiled on first use: of a mesh's thousand services a sidecar calls a few, and the
 * others cost only their names and encoded bytes.
 */
export class VirtualHost<C> {
  readonly name: string;
  /** As configured. */
  readonly domains: readonly string[];
  /** The clusters that its routes name. */
  readonly clusterNames: readonly string[];
  readonly tlsRequirement: TlsRequirement;
  private compiled: readonly RouteEntry<C>[] | null = null;
  private compile: (() => readonly RouteEntry<C>[]) | null;

  /** `compile` is called at most once and cannot fail: what it compiles has been checked. */
  constructor(
    name: string,
    domains: readonly string[],
    clusterNames: readonly string[],
    tlsRequirement: TlsRequirement,
    compile: () => readonly RouteEntry<C>[],
  ) {
    this.name = name;
    this.domains = domains;
    this.clusterNames = clusterNames;
    this.tlsRequirement = tlsRequirement;
    this.compile = compile;
  }

  /** In order of preference: the first that matches wins. */
  get routes(): readonly RouteEntry<C>[] {
    if (this.compiled === null) {
      this.compiled = this.compile === null ? [] : this.compile();
      this.compile = null;
    }
    return this.compiled;
  }
}
