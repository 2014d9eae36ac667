import type { Stalls } from './stall-meter.ts';

/** Resources of one response on their way between threads, encoded as they came. */
export interface Batch {
  readonly kind: 'batch';
  readonly typeUrl: string;
  readonly names: readonly string[];
  readonly versions: readonly string[];
  readonly bytes: readonly Uint8Array[];
}

/** From the thread that compiles to the one that talks xDS. */
export interface Ask {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly typeUrl: string;
  readonly names: readonly string[];
}

/** From the thread that moves bytes, for the measurement. */
export type Report =
  | { readonly kind: 'moving'; readonly port: number }
  | { readonly kind: 'compiled'; readonly resources: number; readonly busy: boolean }
  | { readonly kind: 'stalls'; readonly stalls: Stalls };

export type Request = { readonly kind: 'take-stalls' };
