import type { DescriptorLedger } from './descriptor-ledger.ts';
import { openKernel } from './kernel.ts';

/** Closes what a thread that has ended had open. */
export function closeLeftOpen(ledger: DescriptorLedger): void {
  const descriptors = ledger.list();
  // Where this thread has no kernel, the other had none.
  const kernel = descriptors.length === 0 ? '' : openKernel();
  if (typeof kernel === 'string') return;
  for (const descriptor of descriptors) {
    ledger.remove(descriptor);
    kernel.close(descriptor);
  }
}
