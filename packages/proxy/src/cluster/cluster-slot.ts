// Hot path.
import type { Cluster } from './cluster.ts';
import type { EndpointPool } from './endpoint.ts';

/** Builds a cluster from what is known of it; null where there is nothing. */
export type ClusterSource<P extends EndpointPool> = () => Cluster<P> | null;

/**
 * The place of a cluster's name in all routes that lead to it: filled when the cluster arrives, emptied when it goes, and
 * built when the first request comes, since most clusters of a large mesh see none.
 */
export class ClusterSlot<P extends EndpointPool> {
  readonly name: string;
  /** How many route tables lead here; kept by the configuration store. */
  references = 0;
  private built: Cluster<P> | null = null;
  private source: ClusterSource<P> | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** The cluster, built now if need be; null where it does not exist (503, flag NC). */
  get(): Cluster<P> | null {
    if (this.built === null && this.source !== null) this.built = this.source();
    return this.built;
  }

  /** The cluster where it has been built already; for whoever only looks. */
  peek(): Cluster<P> | null {
    return this.built;
  }

  /** Sets how the cluster is built from now on (null: it is gone) and, where one is built already, what takes its place. */
  set(source: ClusterSource<P> | null, built: Cluster<P> | null): void {
    this.source = source;
    this.built = built;
  }
}
