import type { ServiceBinding } from '@heddle/ca';

/**
 * Which service accounts may be instances of services that are not named like them. Kept for good: a sidecar that starts
 * with a stored identity doesn't join again. Failures of the store itself reject with a `HeddleError`.
 */
export interface ServiceBindings {
  /** Does nothing where it is there already. */
  add(binding: ServiceBinding): Promise<void>;
  has(binding: ServiceBinding): Promise<boolean>;
}

/** Bindings that live as long as their process: for simulations and tests. */
export class MemoryServiceBindings implements ServiceBindings {
  private readonly bindings = new Set<string>();

  async add(binding: ServiceBinding): Promise<void> {
    this.bindings.add(keyOf(binding));
  }

  async has(binding: ServiceBinding): Promise<boolean> {
    return this.bindings.has(keyOf(binding));
  }
}

function keyOf({ namespace, serviceAccount, service }: ServiceBinding): string {
  return JSON.stringify([namespace, serviceAccount, service]);
}
