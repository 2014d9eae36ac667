// Hot path.
import { isIP } from 'node:net';
import type { InternalAddresses } from './internal-addresses.ts';

/** Whom a listener believes about where requests come from. */
export interface AddressRules {
  /** The peer is the client, or a trusted proxy in front of it: `use_remote_address`. */
  readonly useRemoteAddress: boolean;
  /** `xff_num_trusted_hops`. */
  readonly trustedHops: number;
  readonly internal: InternalAddresses;
}

/** Where a request comes from, as far as it can be believed. One object per connection, filled anew for each request. */
export class ClientAddress {
  /** An IP address. */
  address = '';
  /** 0 where the address comes from a header. */
  port = 0;
  /** From within: internal headers are believed. */
  isInternal = false;
  /** From outside, and we are the first who speaks for the mesh: what only the mesh may say is removed. */
  isEdge = false;

  /**
   * Decides for one request; `forwardedFor` is X-Forwarded-For as it came, null for none. Envoy's rules: with
   * `use_remote_address` the peer is the client unless trusted proxies stand before us; without, the header is believed,
   * and only a single address in it can be internal.
   */
  resolve(forwardedFor: string | null, peerAddress: string, peerPort: number, rules: AddressRules): void {
    const { useRemoteAddress, trustedHops } = rules;
    let isSingle = false;
    let found = '';
    if (useRemoteAddress) {
      isSingle = forwardedFor === null;
      if (trustedHops > 0 && forwardedFor !== null) found = fromTheRight(forwardedFor, trustedHops - 1);
    } else if (forwardedFor !== null) {
      found = fromTheRight(forwardedFor, trustedHops);
      // With trusted hops there is never one alone: who says so has been skipped.
      isSingle = found !== '' && !forwardedFor.includes(',');
    }
    this.address = found === '' ? peerAddress : found;
    this.port = found === '' ? peerPort : 0;
    this.isInternal = isSingle && rules.internal.has(this.address);
    this.isEdge = useRemoteAddress && !this.isInternal;
  }
}

/** The address in X-Forwarded-For that has `skipped` others on its right; empty where there is none, or no address. */
export function fromTheRight(forwardedFor: string, skipped: number): string {
  let end = forwardedFor.length;
  for (let i = 0; i < skipped; i++) {
    end = forwardedFor.lastIndexOf(',', end - 1);
    if (end < 0 || (end === 0 && i + 1 < skipped)) return '';
  }
  const start = end === 0 ? 0 : forwardedFor.lastIndexOf(',', end - 1) + 1;
  const address = forwardedFor.slice(start, end).trim();
  return isIP(address) === 0 ? '' : address;
}
