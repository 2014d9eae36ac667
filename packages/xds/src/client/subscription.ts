// One type of resources on the client's side: what is wanted, what is there, what has to be said to the server.
import { DeltaDiscoveryRequest } from '../generated/envoy/service/discovery/v3/discovery.ts';
import { collectionOf } from '../type-url.ts';
import type { ReceivedResource } from './resource-sink.ts';

export class Subscription {
  readonly typeUrl: string;
  /** Whether everything the server has for this node is wanted. */
  readonly isWildcard: boolean;
  readonly named = new Set<string>();
  /** What was accepted last, by name. Outlives streams: the server is told the versions when a new one begins. */
  readonly resources = new Map<string, ReceivedResource>();
  /** Names of which nothing is known and the server has said nothing, with the monotonic time at which the wait for them ends. */
  readonly awaited = new Map<string, number>();
  /** Whether the server has answered the wildcard on this stream. */
  isAnswered = false;
  private readonly added = new Set<string>();
  private readonly dropped = new Set<string>();
  private isBegun = false;

  constructor(typeUrl: string, isWildcard: boolean) {
    this.typeUrl = typeUrl;
    this.isWildcard = isWildcard;
  }

  isInterestedIn(name: string): boolean {
    if (this.isWildcard || this.named.has(name)) return true;
    const collection = collectionOf(this.typeUrl, name);
    return collection !== undefined && this.named.has(collection);
  }

  /** The server has said something of a name: nobody waits for it, or for the collection that it is of, any more. */
  noteAnswered(name: string): void {
    this.awaited.delete(name);
    const collection = collectionOf(this.typeUrl, name);
    if (collection !== undefined) this.awaited.delete(collection);
  }

  /** Whether the server has said everything it was asked for. */
  get isComplete(): boolean {
    return (this.isAnswered || !this.isWildcard) && this.awaited.size === 0;
  }

  add(name: string, answerBy: number): void {
    if (this.named.has(name)) return;
    this.named.add(name);
    this.awaited.set(name, answerBy);
    // A name that was dropped a moment ago is asked for all the same: what was known of it has been thrown away.
    this.dropped.delete(name);
    this.added.add(name);
  }

  drop(name: string): void {
    if (!this.named.delete(name)) return;
    this.resources.delete(name);
    for (const member of this.resources.keys())
      if (collectionOf(this.typeUrl, member) === name && !this.isInterestedIn(member))
        this.resources.delete(member);
    this.awaited.delete(name);
    if (!this.added.delete(name)) this.dropped.add(name);
  }

  /** A new stream knows nothing: everything has to be said again. */
  reset(answerBy: number): void {
    this.isBegun = false;
    this.isAnswered = false;
    this.added.clear();
    this.dropped.clear();
    this.awaited.clear();
    const collections = new Set([...this.resources.keys()].map((name) => collectionOf(this.typeUrl, name)));
    for (const name of this.named) {
      this.added.add(name);
      // What the server sent before it sends again only if it changed.
      if (!this.resources.has(name) && !collections.has(name)) this.awaited.set(name, answerBy);
    }
  }

  /** What has to be said to the server now; null for nothing. */
  takeRequest(): DeltaDiscoveryRequest | null {
    const isFirst = !this.isBegun;
    if (
      isFirst ? !this.isWildcard && this.added.size === 0 : this.added.size === 0 && this.dropped.size === 0
    ) {
      return null;
    }
    const request = DeltaDiscoveryRequest.create({
      typeUrl: this.typeUrl,
      resourceNamesSubscribe: [...this.added],
      resourceNamesUnsubscribe: [...this.dropped],
    });
    if (isFirst) {
      for (const { name, version } of this.resources.values())
        request.initialResourceVersions[name] = version;
    }
    this.isBegun = true;
    this.added.clear();
    this.dropped.clear();
    return request;
  }
}
