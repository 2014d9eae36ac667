// Hot path.
import { isIP } from 'node:net';
import type { CidrRange } from '../../config/listener-config.ts';
import { addressBytes, isWithin } from '../../transport/ip-address.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacMatcher, RbacRequest } from './rbac-matcher.ts';

/**
 * Whose address: the socket's other end; that or what the PROXY protocol says of it; the client as X-Forwarded-For tells,
 * where it is believed; this end, or where the client meant to connect to.
 */
export type AddressOwner = 'direct-remote' | 'connection-remote' | 'remote' | 'destination';

/** An address lies in one of these ranges; a Unix socket's in none. */
export class AddressIn implements RbacMatcher {
  readonly owner: AddressOwner;
  readonly ranges: readonly CidrRange[];

  constructor(owner: AddressOwner, ranges: readonly CidrRange[]) {
    this.owner = owner;
    this.ranges = ranges;
  }

  matches(connection: Connection, request: RbacRequest | null): boolean {
    const bytes = bytesOf(this.address(connection, request));
    if (bytes === null) return false;
    const { ranges } = this;
    for (let i = 0; i < ranges.length; i++) {
      if (isWithin(bytes, ranges[i]!.bytes, ranges[i]!.bits)) return true;
    }
    return false;
  }

  private address(connection: Connection, request: RbacRequest | null): string {
    switch (this.owner) {
      case 'direct-remote':
        return connection.directRemoteAddress;
      case 'remote':
        return request === null ? connection.remoteAddress : request.client.address;
      case 'destination':
        return connection.localAddress;
      default:
        return connection.remoteAddress;
    }
  }
}

/** Requests come from few addresses, and policies ask for the same one again and again. */
const known = new Map<string, Uint8Array | null>();
const maxKnown = 1024;

function bytesOf(address: string): Uint8Array | null {
  let bytes = known.get(address);
  if (bytes === undefined) {
    if (known.size >= maxKnown) known.clear();
    bytes = isIP(address) === 0 ? null : addressBytes(address);
    known.set(address, bytes);
  }
  return bytes;
}
