// Where an intercepted connection was meant to go, before a rule of the packet filter led it here.
import { HeddleError } from '@heddle/base';
import { isIpv6Address, unmapped } from '../transport/ip-address.ts';
import type { Connection } from '../transport/transport.ts';
import { type Libc, SocketConstant, openLibc } from './libc.ts';
import { decodeSocketAddress, socketAddressBytes } from './socket-address.ts';

/** What a lookup needs of a connection. */
export type InterceptedConnection = Pick<Connection, 'fileDescriptor' | 'localAddress' | 'localPort'>;

export interface OriginalDestinationProvider {
  /**
   * The address that the caller connected to; null where nobody knows it: the connection was not redirected and the kernel
   * tracks none, or it is no TCP connection. One call of the system per connection.
   */
  lookup(connection: InterceptedConnection): { readonly host: string; readonly port: number } | null;
}

/** For listeners behind TPROXY: such a socket's own address is the one that the caller has asked for. */
const transparentDestination: OriginalDestinationProvider = {
  lookup: ({ localAddress, localPort }) =>
    localAddress === '' ? null : { host: unmapped(localAddress), port: localPort },
};

/** For listeners behind REDIRECT: connection tracking remembers the address before it was rewritten. */
class RedirectedDestination implements OriginalDestinationProvider {
  private readonly libc: Libc;
  private readonly address = new Uint8Array(socketAddressBytes);

  constructor(libc: Libc) {
    this.libc = libc;
  }

  lookup(connection: InterceptedConnection): { readonly host: string; readonly port: number } | null {
    if (connection.fileDescriptor < 0) return null;
    // An IPv4 connection to a dual-stack listener is IPv4 to connection tracking.
    const level = isIpv6Address(unmapped(connection.localAddress))
      ? SocketConstant.SOL_IPV6
      : SocketConstant.SOL_IP;
    const option = SocketConstant.SO_ORIGINAL_DST;
    const result = this.libc.getsockopt(connection.fileDescriptor, level, option, this.address);
    // ENOENT: not tracked. ENOPROTOOPT: connection tracking is not there at all.
    return result.ok ? decodeSocketAddress(this.address) : null;
  }
}

/**
 * What finds original destinations for a listener. `isTransparent`: its socket is (`transparent: true`, TPROXY); this needs
 * nothing of the system. Otherwise the C library is loaded now, and a `HeddleError` thrown where that doesn't work.
 */
export function originalDestinationProvider(isTransparent: boolean): OriginalDestinationProvider {
  if (isTransparent) return transparentDestination;
  const libc = openLibc();
  if (libc instanceof HeddleError) throw libc;
  return new RedirectedDestination(libc);
}
