import type { XdsClient } from './resource-source.ts';

/** A resource that a client refused. */
export interface RejectedResource {
  readonly typeUrl: string;
  /** Empty where the client's reason names none. */
  readonly name: string;
  /** The client's own words. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a client knows of one resource that it wants, or has. */
export interface ResourceStatus {
  readonly typeUrl: string;
  readonly name: string;
  /** `stale`: a newer state is on its way or waits for it. `refused`: it keeps an older one, or has none. */
  readonly state: 'acknowledged' | 'stale' | 'unsent' | 'refused' | 'absent';
  /** Why it was refused, in the client's words, and when (milliseconds since 1970). */
  readonly refusal: { readonly reason: string; readonly at: number } | null;
}

/** How far a client is with one type of resource. */
export interface TypeStatus {
  /** Responses sent on this stream. */
  readonly sent: number;
  /** Responses acknowledged. */
  readonly acknowledged: number;
  /** Nothing waits to be sent, nothing is on its way, and nothing was rejected last. */
  readonly synced: boolean;
}

/** One connected client. */
export interface StreamStatus extends XdsClient {
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** By type URL; types that the client has not asked for are absent. */
  readonly types: ReadonlyMap<string, TypeStatus>;
  /** What the client refused and was not sent anew since. */
  readonly rejected: readonly RejectedResource[];
}

/** What a connected client has asked for, as it is at the moment of the look. */
export interface Subscription {
  readonly client: XdsClient;
  /** Whether a change of this resource would be sent. */
  wants(typeUrl: string, name: string): boolean;
  /** The resources that it has asked for by name, or has been told of. */
  names(typeUrl: string): Iterable<string>;
}
