/** What Envoys get that have EnvoyFilters: the listeners of sidecars, patched. */
import { invariant } from '@heddle/base';
import { type EncodedResource, TypeUrl } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { makeResource } from '../make-resource.ts';
import type { SidecarNode } from '../node-metadata.ts';
import { type ConfigPatch, EnvoyFilterIndex, type FilterChange } from './filter-index.ts';
import { patchListener } from './patch-listener.ts';

export class EnvoyResources {
  private readonly index = new EnvoyFilterIndex();
  /** Since the last change of filters. */
  private patches = new WeakMap<SidecarNode, readonly ConfigPatch[]>();
  private patched = new WeakMap<SidecarNode, WeakMap<EncodedResource, EncodedResource>>();

  /** Takes a change in; says whether it may have changed listeners. */
  apply(change: FilterChange): boolean {
    if (!this.index.apply(change)) return false;
    this.patches = new WeakMap();
    this.patched = new WeakMap();
    return true;
  }

  /** The listener as this Envoy is to have it. */
  listener(node: SidecarNode, original: EncodedResource): EncodedResource {
    let patches = this.patches.get(node);
    if (patches === undefined) {
      patches = this.index.patchesFor(node);
      this.patches.set(node, patches);
    }
    if (patches.length === 0) return original;
    let known = this.patched.get(node);
    if (known === undefined) {
      known = new WeakMap();
      this.patched.set(node, known);
    }
    let result = known.get(original);
    if (result === undefined) {
      const { resource } = Resource.decode(original.bytes);
      invariant(resource !== undefined, 'a resource has content');
      const message = patchListener(resource.value, node, patches);
      result = message === resource.value ? original : makeResource(TypeUrl.listener, original.name, message);
      known.set(original, result);
    }
    return result;
  }
}
