/** A resource as it arrived. */
export interface ReceivedResource {
  readonly name: string;
  readonly version: string;
  /** The encoded message, without the `Any` around it. Shared with the client's cache: don't change it. */
  readonly bytes: Uint8Array;
}

/** Where a client's resources go: the part of the proxy that compiles and swaps its configuration. */
export interface ResourceSink {
  /**
   * Takes a new or changed resource. Null accepts it; anything else is the reason for refusing it, with the path of the
   * field (`filter_chains[0].…: HttpConnectionManager.upgrade_configs is not supported`), and the state before stays.
   * May call the client's `subscribe` and `unsubscribe`.
   */
  apply(typeUrl: string, resource: ReceivedResource): string | null;
  /**
   * Like `apply`, in steps of well under a millisecond: others may have the thread between two of them. The outcome is
   * what the iterator returns; nothing has changed before. A sink without it takes every resource at once.
   */
  applySteps?(typeUrl: string, resource: ReceivedResource): Iterator<unknown, string | null>;
  /** The resource is gone, or never existed. Called for subscribed names only. */
  remove(typeUrl: string, name: string): void;
  /**
   * Everything in one response has been handed over. What turns out to be wrong only now, because it does not go together, is returned: the
   * reasons by name, and the state before stays.
   */
  commit(typeUrl: string): ReadonlyMap<string, string> | void;
}
