/** Virtual hosts as resources of their own (VHDS): where one changes, proxies are sent that one and not all of the mesh's. */
import { TypeUrl, type EncodedResource } from '@heddle/xds';
import { makeResource } from './make-resource.ts';
import { virtualHostIn } from './routes.ts';

/** A virtual host as a piece of an encoded route configuration. */
export interface VirtualHostPiece {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Made {
  /** What it was made of: the same bytes need no second look. */
  readonly bytes: Uint8Array;
  readonly resource: EncodedResource;
}

/** The virtual hosts of a route configuration, as clients of one role see them. */
interface Collection<C> {
  readonly name: string;
  /** One of those clients. */
  readonly client: C;
  readonly made: ReadonlyMap<string, Made>;
}

/** What clients of a role have in common. */
export interface VirtualHostSource<C> {
  /** The role of a client: equal roles see equal virtual hosts. */
  roleOf(client: C): string;
  /** The present virtual hosts of a route configuration, none where there is no such. */
  piecesOf(collection: string, client: C): readonly VirtualHostPiece[];
}

/** By route configuration and role, as far as somebody has asked for them. */
export class VirtualHostResources<C> {
  private readonly source: VirtualHostSource<C>;
  private collections = new Map<string, Collection<C>>();
  /** By the piece it was made of and by name: roles that see it alike have one. */
  private readonly shared = new WeakMap<Uint8Array, Map<string, Made>>();
  /** What was asked for last: a client asks for one after the other. */
  private latest: Collection<C> | null = null;
  private latestClient: C | null = null;

  constructor(source: VirtualHostSource<C>) {
    this.source = source;
  }

  /** The names of a route configuration's virtual hosts. */
  list(collection: string, client: C): Iterable<string> {
    return this.collection(collection, client).made.keys();
  }

  get(collection: string, name: string, client: C): EncodedResource | undefined {
    if (this.latest === null || this.latestClient !== client || this.latest.name !== collection) {
      this.latest = this.collection(collection, client);
      this.latestClient = client;
    }
    return this.latest.made.get(name)?.resource;
  }

  /**
   * Makes anew what has been asked for, as far as `isTouched` says that it may be another; `isInUse` says whom anybody still
   * asks as. Returns the names of what may have changed.
   */
  update(isInUse: (client: C) => boolean, isTouched: (client: C) => boolean): Set<string> {
    const before = this.collections;
    this.collections = new Map();
    this.latest = null;
    const changed = new Set<string>();
    for (const [key, known] of before) {
      const { name, client, made } = known;
      if (!isInUse(client)) continue;
      if (!isTouched(client) && key === this.keyOf(name, client)) {
        this.collections.set(key, known);
        continue;
      }
      const now = this.collection(name, client, made);
      // Clients that were alike may not be any more: this one stands for those that are still like it.
      const isSameRole = key === this.keyOf(name, client);
      for (const [own, { resource }] of now.made)
        if (!isSameRole || made.get(own)?.resource !== resource) changed.add(own);
      for (const own of made.keys()) if (!isSameRole || !now.made.has(own)) changed.add(own);
    }
    return changed;
  }

  private keyOf(name: string, client: C): string {
    return `${name} ${this.source.roleOf(client)}`;
  }

  private collection(name: string, client: C, before?: ReadonlyMap<string, Made>): Collection<C> {
    const key = this.keyOf(name, client);
    let collection = this.collections.get(key);
    if (collection === undefined) {
      collection = { name, client, made: this.make(name, client, before) };
      if (collection.made.size > 0) this.collections.set(key, collection);
    }
    return collection;
  }

  private make(
    collection: string,
    client: C,
    before: ReadonlyMap<string, Made> = new Map(),
  ): Map<string, Made> {
    const made = new Map<string, Made>();
    for (const { name: own, bytes } of this.source.piecesOf(collection, client)) {
      const name = `${collection}/${own}`;
      const known = before.get(name);
      const shared = known?.bytes === bytes ? known : this.shared.get(bytes)?.get(name);
      if (shared !== undefined) {
        made.set(name, shared);
        continue;
      }
      const resource = makeResource(TypeUrl.virtualHost, name, virtualHostIn(bytes), [known?.resource]);
      const fresh = { bytes, resource };
      made.set(name, fresh);
      const others = this.shared.get(bytes);
      if (others === undefined) this.shared.set(bytes, new Map([[name, fresh]]));
      else others.set(name, fresh);
    }
    return made;
  }
}
