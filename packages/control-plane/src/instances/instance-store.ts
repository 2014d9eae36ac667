/**
 * Who is in the mesh. Written when an instance is published or withdrawn and never when a lease is renewed; a second
 * store beside the configuration's, because it can be rebuilt from the proxies and mustn't slow the other one down.
 */

/** A published instance of a service. */
export interface Instance {
  /** Unique in the mesh and stable over restarts of its sidecar. */
  readonly instance: string;
  readonly namespace: string;
  readonly service: string;
  /** From the certificate under which it was published. */
  readonly serviceAccount: string;
  /** The service's port, the same for every instance. */
  readonly servicePort: number;
  /** Such as `http`. */
  readonly protocol: string;
  /** Where peers reach the sidecar's inbound listener. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Its sidecar takes TCP connections as streams that CONNECT opens. */
  readonly takesTunnels: boolean;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
}

/** What a store that several control planes write tells of the others' instances. */
export interface InstanceWatcher {
  /** Another control plane holds this instance now, also one that this one has held. */
  onPut(instance: Instance): void;
  /** Another control plane's instance is gone: withdrawn, or its control plane has not been heard of. */
  onRemove(instance: string): void;
}

/** Failures of the store itself reject with a `HeddleError`. */
export interface InstanceStore {
  /** What this control plane has left behind and takes over when it starts, sorted by id. */
  list(): Promise<readonly Instance[]>;
  /**
   * Tells of the instances that other control planes hold: of those there are before it resolves, then of each change.
   * Called once. Absent: no others write this store.
   */
  watch?(watcher: InstanceWatcher): Promise<void>;
  /** Adds it or replaces the one with its id. */
  put(instance: Instance): Promise<void>;
  /** Does nothing where there is none. */
  remove(instance: string): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
