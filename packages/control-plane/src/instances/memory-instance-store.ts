import type { Instance, InstanceStore } from './instance-store.ts';

/** A store that lives as long as its process: for simulations and tests. */
export class MemoryInstanceStore implements InstanceStore {
  private readonly instances = new Map<string, Instance>();

  async list(): Promise<readonly Instance[]> {
    return [...this.instances.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  async put(instance: Instance): Promise<void> {
    this.instances.set(instance.instance, instance);
  }

  async remove(instance: string): Promise<void> {
    this.instances.delete(instance);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
