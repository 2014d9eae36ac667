import type { RpcPeer } from '../rpc.ts';
import type { Node } from '../generated/envoy/config/core/v3/base.ts';

/** A resource ready to be sent: encoded once, its bytes shared by every stream that is given it. */
export interface EncodedResource {
  readonly name: string;
  /** Changes whenever the content does; never used again for other content. */
  readonly version: string;
  /** An encoded `envoy.service.discovery.v3.Resource`, made by `encodeResource`. */
  readonly bytes: Uint8Array;
  /** No other resource of the process has it. */
  readonly id: number;
  /** Stands for the version, in place of whose text streams remember it. */
  readonly versionNumber: number;
}

/** A proxy as the source of its resources sees it. */
export interface XdsClient {
  /** What the proxy says of itself, as it said it in its stream's first request. */
  readonly node: Node;
  /** What its certificate proves. */
  readonly peer: RpcPeer;
}

/** Resources of one type that may have changed, appeared or gone. */
export interface ResourceChange {
  readonly typeUrl: string;
  /** Undefined where any of them may have. */
  readonly names?: ReadonlySet<string>;
  /** Whom it concerns, asked while the change is told; undefined for all. */
  readonly concerns?: (client: XdsClient) => boolean;
}

/**
 * What the server serves: for each client the latest state, asked for when it can be sent. A change that touches several
 * types (a route stops using a cluster, the cluster goes) is told in one call, so that the server can order it.
 */
export interface ResourceSource {
  /**
   * The resource of this name as this client should have it, or undefined where there is none. Called once per client and
   * send: where clients of one kind get the same resource, return the same object.
   */
  get(client: XdsClient, typeUrl: string, name: string): EncodedResource | undefined;
  /** The names that a wildcard subscription of this client covers. */
  list(client: XdsClient, typeUrl: string): Iterable<string>;
  /** The names under a collection that the client has asked for; see `collectionOf`. A source without it has none. */
  listCollection?(client: XdsClient, typeUrl: string, collection: string): Iterable<string>;
  /** Calls `listener` after every change, when `get` and `list` already say the new state. Returns how to stop. */
  watch(listener: (changes: readonly ResourceChange[]) => void): () => void;
}
