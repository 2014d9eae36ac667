// The objects that say what proxies may reach, kept in step; what they make together is made anew when one changes.
import { type ObjectKey, type StoredObject, formatKey, keyOf } from '../manifest/object.ts';
import { defaultMeshSettings, holdsMeshSettings, readMeshSettings } from './mesh-settings.ts';
import { Scoping } from './scoping.ts';

export class ScopingIndex {
  readonly #rootNamespace: string;
  readonly #sidecars = new Map<string, StoredObject>();
  readonly #settings = new Map<string, StoredObject>();
  #current: Scoping | null;

  constructor(rootNamespace: string) {
    this.#rootNamespace = rootNamespace;
    this.#current = new Scoping(rootNamespace);
  }

  /** The same object until something changes. */
  get current(): Scoping {
    return (this.#current ??= this.#make());
  }

  set(stored: StoredObject): void {
    const { object } = stored;
    if (object.kind === 'Sidecar') this.#sidecars.set(formatKey(keyOf(object)), stored);
    else if (holdsMeshSettings(object, this.#rootNamespace))
      this.#settings.set(formatKey(keyOf(object)), stored);
    else return;
    this.#current = null;
  }

  delete(key: ObjectKey): void {
    const name = formatKey(key);
    if (this.#sidecars.delete(name) || this.#settings.delete(name)) this.#current = null;
  }

  #make(): Scoping {
    const settings = [...this.#settings.values()];
    const own = settings.find(({ object }) => object.metadata.namespace === this.#rootNamespace);
    const first = own ?? settings[0];
    return new Scoping(
      this.#rootNamespace,
      [...this.#sidecars.values()],
      first === undefined ? defaultMeshSettings : readMeshSettings(first.object),
    );
  }
}
