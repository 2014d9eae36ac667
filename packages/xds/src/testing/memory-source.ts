import type {
  EncodedResource,
  ResourceChange,
  ResourceSource,
  XdsClient,
} from '../server/resource-source.ts';
import { encodeResource } from '../server/encode-resource.ts';
import { collectionOf } from '../type-url.ts';

/** One state for all clients; `set` and `remove` change it, `tell` says so. */
export class MemorySource implements ResourceSource {
  /** How often `get` was called. */
  gets = 0;
  private readonly types = new Map<string, Map<string, EncodedResource>>();
  private readonly listeners = new Set<(changes: readonly ResourceChange[]) => void>();
  private changed = new Map<string, Set<string>>();

  get(_client: XdsClient, typeUrl: string, name: string): EncodedResource | undefined {
    this.gets++;
    return this.types.get(typeUrl)?.get(name);
  }

  list(_client: XdsClient, typeUrl: string): Iterable<string> {
    return [...(this.types.get(typeUrl)?.keys() ?? [])];
  }

  listCollection(_client: XdsClient, typeUrl: string, collection: string): Iterable<string> {
    const names = [...(this.types.get(typeUrl)?.keys() ?? [])];
    return names.filter((name) => collectionOf(typeUrl, name) === collection);
  }

  watch(listener: (changes: readonly ResourceChange[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(typeUrl: string, name: string, version: string, message: Uint8Array = new Uint8Array(0)): this {
    const resources = this.types.get(typeUrl) ?? new Map<string, EncodedResource>();
    this.types.set(typeUrl, resources);
    resources.set(name, encodeResource(typeUrl, name, version, message));
    return this.note(typeUrl, name);
  }

  remove(typeUrl: string, name: string): this {
    this.types.get(typeUrl)?.delete(name);
    return this.note(typeUrl, name);
  }

  /** Tells everything that changed since the last time, in one call. */
  tell(): void {
    const changes = [...this.changed].map(([typeUrl, names]) => ({ typeUrl, names }));
    this.changed = new Map();
    for (const listener of this.listeners) listener(changes);
  }

  get watchers(): number {
    return this.listeners.size;
  }

  private note(typeUrl: string, name: string): this {
    const names = this.changed.get(typeUrl) ?? new Set<string>();
    this.changed.set(typeUrl, names.add(name));
    return this;
  }
}
