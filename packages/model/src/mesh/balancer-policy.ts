import type { TrafficPolicy as WrittenPolicy } from '../schema/destination-rule.ts';

/** How a cluster chooses among its endpoints. */
export interface BalancerPolicy {
  readonly kind: 'round-robin' | 'least-request' | 'random';
}

/** Null where nothing is said. */
export function compileBalancer(written: WrittenPolicy['loadBalancer']): BalancerPolicy | null {
  switch (written?.simple) {
    case 'ROUND_ROBIN':
      return { kind: 'round-robin' };
    case 'LEAST_REQUEST':
    case 'LEAST_CONN':
      return { kind: 'least-request' };
    case 'RANDOM':
      return { kind: 'random' };
    default:
      return null;
  }
}
